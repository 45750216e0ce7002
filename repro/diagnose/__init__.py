"""Measure inside the worker: capture activations, turn them into evidence."""
