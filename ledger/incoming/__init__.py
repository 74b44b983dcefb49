"""What people wrote back, and what came back."""
