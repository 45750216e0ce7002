"""`make accuracy`: how often each check of the audit errs.

python -m calibration.audit            a minute or two: few papers, the table printed, 1 where a
promise is broken
python -m calibration.audit --full     200 papers, 20 for every size of error: also into
docs/audit.md and the package
"""

import sys
import time
from pathlib import Path

from calibration.audit.measure import accuracies
from calibration.audit.page import broken, table, write
from repro.audit.accuracy import ACCURACY_FILE

QUICK, FULL = (20, 6), (200, 20)
"""Clean papers; papers for each size of error."""


def main(arguments: list[str]) -> int:
    """Return 1 when a promise is broken, else 0."""
    begin, full = time.monotonic(), arguments == ["--full"]
    papers, errors = FULL if full else QUICK
    known = accuracies(papers, errors)
    print("\n".join(table(known)))
    if full:
        write(known, Path("docs/audit.md"), ACCURACY_FILE)
    told = broken(known)
    for words in told:
        print(words)
    print(f"{len(known)} checks, {papers} clean papers, {errors} papers a size of error; {len(told)} promises broken; "
          f"{time.monotonic() - begin:.0f} s")  # fmt: skip
    return int(bool(told))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
