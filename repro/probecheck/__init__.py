"""Is a probe set worth measuring with? What gives its labels away besides what a model makes of the texts.

texts (words, n-grams, masks) → readouts (leave-one-out accuracies, length leakage) → check (every declared limit).
"""

from repro.probecheck.check import Finding, Report, check

__all__ = ["Finding", "Report", "check"]
