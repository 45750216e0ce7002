"""Time a store of many runs: made, made again, judged, asked.

    python -m bench.store FOLDER RUNS …      e.g. python -m bench.store /tmp/many 1000 10000 20000

Each run folder is a finished run's of some manifest, with 500 measurements in five checkpoints and
the files of a real run beside them, the weights left out. FOLDER is kept, and filled up to each
number in turn. Prints a row for each: seconds of each command's own process, of them those of the
processor (all that counts on a busy machine), and the most memory it held.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path

from repro.errors import ManifestError
from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.execute.folders import place_run, prepare
from repro.files import write_json
from repro.manifest.load import experiment_names, load_experiment
from repro.manifest.probes import load_probe_set
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.store.database import query

NEW = 10
"""Runs that finish between one ingest and the next."""
STEPS, DIRECTIONS = (0, 500, 1000, 2000, 5000), 32
_CONCEPTS = ("domain", "register", "shape")
_QUERY = (
    "SELECT condition, avg(value) FROM measurements JOIN runs USING (run_id) "
    "WHERE quantity = 'entanglement_intensity' GROUP BY ALL"
)
_NOTE = {"started": "2026-01-01T00:00:00+00:00", "packages": {}, "kernels": {"system": "none"},
         "sources": {f"repro.module_{number}": f"{number:016x}" for number in range(80)},
         "host": {"commit": "none", "dirty": False, "runner": "local"},
         "hardware": {"processor": "none", "gpus": [], "gpu_driver": "none"},
         "isolation": {"network": "none", "root": "read-only"}}  # fmt: skip


def main() -> None:
    """Fill, and time each command at each size."""
    results, sizes = Path(sys.argv[1]), [int(word) for word in sys.argv[2:]]
    there = finished(results)
    runs = islice(many(max(sizes) + NEW * len(sizes) + 1), there, None)  # those that are kept first
    print("| runs | measurements | ingest | ingest --new, 10 new | verify | sql | most memory |")
    print("|---|---|---|---|---|---|---|", flush=True)
    for size in sizes:
        while there < size:
            finish(next(runs), results)
            there += 1
        whole = took(results, "ingest")
        check(results, there)
        for _ in range(NEW):
            finish(next(runs), results)
            there += 1
        new = took(results, "ingest", "--new")
        judged, asked = took(results, "verify"), took(results, "sql", _QUERY)
        all_four = whole, new, judged, asked
        seconds = " | ".join(f"{wall:.1f} s, {used:.1f}" for wall, used, _ in all_four)
        memory = ", ".join(f"{held:.2f}" for *_, held in all_four)
        print(f"| {there:,} | {there * per_run():,} | {seconds} | {memory} GiB |", flush=True)


def many(count: int) -> Iterator[Run]:
    """Yield runs of every manifest with ever other seeds, each under a name of its own."""
    known: list[Run] = []
    for name in experiment_names():
        with suppress(ManifestError):  # one whose probes are not here
            runs = expand(load_experiment(name), local_environment())
            for folder in {folder for run in runs for folder in run.probe_folders.values()}:
                load_probe_set(folder)
            known += [run for run in runs if run.steps and run.parent is None]
    for number in range(count):
        yield known[number % len(known)].model_copy(update={"seed": number})


def finish(run: Run, results: Path) -> None:
    """Write a finished run's folder; one that is there stays."""
    folder: RunFolder = prepare(place_run(run, results, {}))
    if folder.done():
        return
    for step in STEPS:
        folder.append(step, [*rows(step)])
    write_json(
        folder.path / "provenance.json",
        {
            "run": run.id,
            "environment": {"code": "c", "lock": "l", "image": "local", "device": "cpu",
                            "edition": {"code": 1, "packages": 1}},
            "model": {"identity": {"model": {"weights": {"kind": "random"}}}, "stored_as": ["F32"]},
            "attempts": [_NOTE],
        },
    )  # fmt: skip
    write_json(folder.path / "usage.json", {"attempts": []})
    folder.finish("done")


def rows(step: int) -> Iterator[Measurement]:
    """Yield a checkpoint's measurements: 100."""
    for quantity in ("entanglement_intensity", "margin", "v_purity", "activation_rms"):
        yield Measurement(step=step, quantity=quantity, value=0.5, n=48, layer="post_norm")
    for direction in range(DIRECTIONS):
        for concept in _CONCEPTS:
            yield Measurement(
                step=step, quantity="damage", value=0.01 * direction, n=48, layer="post_norm",
                direction=direction, concept=concept,
            )  # fmt: skip


def finished(results: Path) -> int:
    """Return how many runs are finished."""
    return sum(1 for _ in results.glob("runs/*/*/done.json"))


def check(results: Path, there: int) -> None:
    """Refuse to time a store that does not hold what the row will say."""
    (runs,), (rows,) = (
        query(results, f"SELECT count(*) FROM {table}")[1][0] for table in ("runs", "measurements")
    )
    if (finished(results), runs, rows) != (there, there, there * per_run()):
        raise SystemExit(f"bench: {there} runs were made, the store holds {runs} with {rows} rows")


def per_run() -> int:
    """Return the measurements of one run."""
    return len(STEPS) * (4 + DIRECTIONS * len(_CONCEPTS))


def took(results: Path, *words: str) -> tuple[float, float, float]:
    """Return seconds, those of the processor, and GiB of memory of a command in a process of its
    own. Raises if it fails.
    """
    command = [sys.executable, "-m", "repro", *words, "--results", str(results)]
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status) not in (0, 1, 3):
        raise SystemExit(f"bench: repro {' '.join(words)} ended with {status}")
    wall = time.perf_counter() - begun
    return wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 2**20


if __name__ == "__main__":
    main()
