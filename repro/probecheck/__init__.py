"""Check whether a probe set is worth measuring with.

The checks find what reveals its labels besides a model's reading of the texts.

texts (words, n-grams, masks) → readouts (leave-one-out accuracies, length leakage) → check (every
declared limit)
"""

from repro.probecheck.check import Report, SetFinding, check

__all__ = ["Report", "SetFinding", "check"]
