"""A reproduction harness for papers on the geometry of fine-tuned language models.

manifest (what is claimed, what is asked) → plan → execute → worker (train, diagnose) → store → verify → report.
"""

__version__ = "0.1.0"
