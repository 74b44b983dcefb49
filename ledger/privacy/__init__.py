"""What is held of anybody, how long, and how it is taken away."""
