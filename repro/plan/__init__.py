"""What to run: a manifest multiplied out into runs that are named by their content."""
