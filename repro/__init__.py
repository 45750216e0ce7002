"""A reproduction harness for papers on the geometry of fine-tuned language models.

manifest (what is claimed, what is asked) → plan → execute → worker (train, diagnose) → store →
verify → report.
"""

import os

__version__ = "0.1.0"

# NumPy and SciPy each bring an OpenBLAS of their own, whose idle threads keep spinning: in turns
# they starve each other, and the geometry's small matrices take three times as long with two
# threads as with one. PyTorch's threads are others.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
