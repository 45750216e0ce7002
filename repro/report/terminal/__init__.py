"""Results on a terminal: tables and sentences."""
