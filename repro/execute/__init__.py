"""Running it, from the host: folders, fetching, workers and the queue. Never imports torch."""
