"""Who of the staff logged in, from where; and logging people out."""
