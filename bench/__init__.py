"""Benchmarks: each module has rows(), a list of figures with the bar they are held to."""
