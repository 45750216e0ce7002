"""Estimate what a run costs: work, memory, GPU-hours, CPU-hours, and whether it fits."""
