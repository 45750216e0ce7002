"""The worker: run.json in, evidence out.

The only program here that imports torch (`python -m repro.worker`).
"""
