"""Carry out runs from the host: folders, fetching, workers and the queue. Never imports torch."""
