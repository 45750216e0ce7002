"""Complete a benchmark's problems with a model, inside the worker.

The host scores the completions.
"""
