"""What the office looks after by hand, and the lists it takes out of the house."""
