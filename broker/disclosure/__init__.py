"""What a text gives away of people: their names, their numbers, whose account it stands on."""
