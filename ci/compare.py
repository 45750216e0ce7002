"""Compare the measurements of two results folders, run by run.

    python ci/compare.py EXPERIMENT ONE OTHER [EXACT]

Every number must agree to 1e-6 relative, with EXACT bit for bit; every missing number must be
missing for the same reason. Exit 0 when they agree, 1 when not, 2 when a run of one folder has no
twin in the other.
"""

import sys
from pathlib import Path

from repro.errors import EvidenceError
from repro.evidence.compare import compare_folders

RELATIVE = 1e-6


def main(experiment: str, one: str, other: str, exact: str = "") -> int:
    """Compare, print the result, and return the exit code."""
    try:
        found = compare_folders(experiment, Path(one), Path(other), 0.0 if exact else RELATIVE)
    except EvidenceError as error:
        print(error)
        return 2
    print(f"{experiment}: {found.words()}")
    print("\n".join(found.apart[:10]))
    return 1 if found.apart else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
