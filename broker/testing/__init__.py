"""What tests stand on: the contract that every channel passes, and pretend parts with a life of their own."""
