"""`make calibrate`: estimate how often each verdict errs.

python -m calibration                     a minute: every promise, few repetitions (for CI)
python -m calibration --full [N PART OF]  half an hour: N repetitions, into build/calibration/, one
                                          of several parts if PART and OF are given
python -m calibration --tables            docs/calibration.md from build/calibration/
"""

import json
import sys
import time
from pathlib import Path

from calibration.promises import promises
from calibration.rates import Rate, Setting, full, quick, simulate_all
from calibration.tables import write_tables

BUILD = Path("build/calibration")


def main(arguments: list[str]) -> int:
    """Run the simulation or write the tables. Return 1 when a promise is broken, else 0."""
    begin = time.monotonic()
    if arguments[:1] == ["--tables"]:
        rates = read_rates()
        write_tables(rates, Path("docs/calibration.md"))
    elif arguments[:1] == ["--full"]:
        repetitions, part, of = ([*map(int, arguments[1:]), *(1000, 0, 1)[len(arguments) - 1 :]])[
            :3
        ]
        rates = simulate_all(list(full(repetitions))[part::of])
        BUILD.mkdir(parents=True, exist_ok=True)
        (BUILD / f"{part:02d}-of-{of:02d}.json").write_text(json.dumps(rates))
    else:
        rates = simulate_all(list(quick()))
    kept = promises(rates)
    broken = [promise.words() for promise in kept if promise.broken]
    for words in broken:
        print(words)
    print(f"{len(kept)} promises, {len(broken)} broken; {sum(r.setting.repetitions for r in rates):,} judgements, "
          f"{time.monotonic() - begin:.0f} s")  # fmt: skip
    return int(bool(broken))


def read_rates() -> list[Rate]:
    """Return every rate of the full simulation in its folder."""
    found = {}
    for file in sorted(BUILD.glob("*.json")):
        for setting, counts in json.loads(file.read_text()):
            found[Setting(*setting)] = Rate(Setting(*setting), counts)
    return list(found.values())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
