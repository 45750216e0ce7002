"""Kill commands that move evidence at random moments, with SIGKILL, and look whether anything is
lost: after each kill what was there is whole, and in the end all bits are the same.

    .venv/bin/python ci/killed.py WORK [MOMENTS] [SEED]    WORK: a folder that is not there yet

Push, pull, ingest and run take turns. It prints a table for docs/results/travel.md.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from repro.evidence.folder import RunFolder
from repro.store.check import compare_with_folders
from repro.store.database import NAME, connect
from repro.store.ingest import run_folders

KEPT = Path(__file__).resolve().parents[1] / "evidence"
REPRO = [sys.executable, "-m", "repro"]
MANIFEST = """
id: killed
title: A base model
image: local
probe_set: factorial_48
conditions: {B0: {title: base model}}
arms: [{models: [tiny-llama], conditions: [B0], seeds: [0]}]
"""


def content(results: Path) -> dict[str, bytes]:
    """Return the evidence of a results folder, by path; weights and records of attempts apart."""
    found = {}
    for name in ("runs", "asked", "seals"):
        for path in (results / name).rglob("*"):
            if path.is_file() and not path.name.startswith("."):
                found[str(path.relative_to(results))] = path.read_bytes()
    return found


def whole(results: Path) -> int:
    """Check every finished run and the store of a results folder; return the finished runs."""
    finished = [path for path in run_folders(results) if (path / "done.json").exists()]
    for path in finished:
        RunFolder(path).check(without_weights=True)
    if (results / NAME).exists():
        connect(results).close()
    return len(finished)


def killed(words: list[str], most: float, chance: random.Random) -> bool:
    """Run a command and kill it at a random moment; return whether it was still at work."""
    process = subprocess.Popen(
        [*REPRO, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(chance.random() * most)
    still = process.poll() is None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return still


def main(work: Path, moments: int = 50, seed: int = 35) -> None:
    """Look what is left after each kill, then bring everything to its end and compare."""
    work.mkdir(parents=True)
    source, shelf, target, made = (work / name for name in ("source", "shelf", "target", "made"))
    for name in ("runs", "asked", "seals"):
        shutil.copytree(KEPT / name, source / name)
    (work / "killed.yaml").write_text(MANIFEST)
    before, chance, table = content(source), random.Random(seed), Counter[tuple[str, bool]]()
    run = ["run", str(work / "killed.yaml"), "--runner", "local", "--results", str(made)]
    subprocess.run([*REPRO, "fetch", run[1]], check=True, stdout=subprocess.DEVNULL)
    took = time.monotonic()
    subprocess.run(
        [*REPRO, *run[:-1], str(work / "undisturbed")], check=True, stdout=subprocess.DEVNULL
    )
    took = time.monotonic() - took
    commands = {
        "push": (["push", str(shelf), "--results", str(source)], 4.0),
        "pull": (["pull", str(shelf), "--results", str(target)], 4.0),
        "ingest": (["ingest", "--results", str(source)], 4.0),
        "run": (run, took),
    }
    for number in range(moments):
        name = [*commands][number % 4]
        if name == "pull" and not shelf.exists():
            shelf.mkdir()
        if name == "run" and any(made.glob("runs/*/*/done.json")):
            made = work / f"made-{number}"  # what has finished cannot be killed
            commands["run"] = ([*run[:-1], str(made)], took)
        table[name, killed(*commands[name], chance)] += 1
        for results in (source, target, made):
            if results.exists():
                whole(results)
        assert content(source) == before, f"{name} changed what was pushed"
    for name in ("push", "pull", "ingest", "run"):
        subprocess.run([*REPRO, *commands[name][0]], check=True, stdout=subprocess.DEVNULL)
    assert content(target) == before, "what arrived is other"
    assert whole(target) == whole(source)
    with connect(source) as connection:
        compare_with_folders(source, connection, deep=True)
    numbers = {path.read_bytes() for path in work.glob("*/runs/killed/*/steps/*.parquet")}
    assert len(numbers) == 1, "a killed run has other numbers"
    left = list(target.rglob("*.tmp"))
    print(
        f"{moments} moments, seed {seed}: nothing lost, the same bits; {len(left)} files left over"
    )
    for name in commands:
        print(f"| {name} | {table[name, True]} | {table[name, False]} |")


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(Path(sys.argv[1]), *map(int, sys.argv[2:4]))
