"""The run folder: written by a worker, read by the host.

It is the evidence; the database is only its index.
"""
