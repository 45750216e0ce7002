"""The run folder: what a worker leaves behind and the host reads. The evidence; the database is only its index."""
