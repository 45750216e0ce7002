"""Evidence that travels: push and pull, by content, and signed statements of it."""
