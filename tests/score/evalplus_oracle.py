"""EvalPlus's own verdicts, run by a Python that has evalplus: JSON of programs by task comes in,
statuses go out.

The limit of 1 s on the wall's clock is raised for each input, since this may run on a busy machine.
"""

import gzip
import json
import sys
from concurrent.futures import ThreadPoolExecutor

from evalplus.eval import untrusted_check
from evalplus.gen.util import trusted_exec

LIMIT = 5.0


def main() -> None:
    path, programs = sys.argv[1], json.load(sys.stdin)
    with gzip.open(path, "rt") if path.endswith(".gz") else open(path) as file:
        problems = {p["task_id"]: p for p in map(json.loads, file)}
    with ThreadPoolExecutor(2) as pool:
        found = dict(
            zip(
                programs,
                pool.map(lambda task: check(problems[task], programs[task]), programs),
                strict=True,
            )
        )
    json.dump(found, sys.stdout)


def check(problem: dict, programs: list[str]) -> list[list[str]]:
    code, entry = problem["prompt"] + problem["canonical_solution"], problem["entry_point"]
    found = [[] for _ in programs]
    for part in ("base_input", "plus_input"):
        inputs = problem[part]
        expected, times = trusted_exec(code, inputs, entry, record_time=True)
        for at, program in enumerate(programs):
            status, _ = untrusted_check(
                "humaneval",
                program,
                inputs,
                entry,
                expected,
                problem["atol"],
                times,
                True,
                min_time_limit=LIMIT,
            )
            found[at].append(status)
    return found


if __name__ == "__main__":
    main()
