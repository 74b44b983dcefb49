"""What shows somebody outside that the record was not changed."""
