"""Benchmarks: each module has rows(), a list of figures with the bar for each."""

# Before NumPy loads: it fixes BLAS's threads, for us and for the peers in the same process.
import repro as repro
