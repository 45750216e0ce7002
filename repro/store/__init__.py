"""The database: an index over the run folders, open to SQL."""
