"""What the staff writes down about a member."""
