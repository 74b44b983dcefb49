"""What keeps the record whole, and shows somebody outside that it is."""
