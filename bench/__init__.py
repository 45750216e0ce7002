"""Benchmarks: each module has rows(), a list of figures with the bar they are held to."""

import repro as repro  # before NumPy loads: it settles the threads of BLAS, for us and for the peers in the same process
