"""What is claimed: every published number, the term that gives it, and how close is enough."""
