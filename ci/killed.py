"""Kill commands that move evidence at random moments, with SIGKILL, and harm what lies there or is
on its way: nothing may be lost, what is harmed is named, and in the end all bits are the same.

    .venv/bin/python ci/killed.py WORK [MOMENTS [SEED [PLACE [HARMS]]]]

WORK is a folder that is not there yet. PLACE is what push and pull go to: folder, sftp (an SSH
server is started on loopback), or s3 (under ci/s3.sh). In a folder, ingest and run take turns with
them. HARMS: how often something is harmed there, and how often on the way. It prints rows for
docs/results/travel.md.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from places import Place, Way, opened_place

from repro.evidence.folder import RunFolder
from repro.share.arrive import ARRIVING
from repro.share.attest import attest_runs
from repro.share.parcel import PARCELS
from repro.share.shelf import Shelf, open_shelf
from repro.store.check import compare_with_folders
from repro.store.database import NAME, connect
from repro.store.finished import finished_folders
from repro.store.ingest import run_folders

KEPT = Path(__file__).resolve().parents[1] / "evidence"
REPRO = [sys.executable, "-m", "repro"]
LONGEST = 300
"""Seconds after which a command counts as hanging."""
FIRST_LINE = 3.0
"""Seconds in which a command's first line is to be expected; a quarter of the kills fall there."""
SOONER = 0.7
"""Share of a command's time in which it is killed: later it would often have ended."""
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
    for name in ("runs", "asked", "seals", "statements"):
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


def done(words: list[str]) -> float:
    """Carry a command out, undisturbed; return the seconds it took after its first line."""
    with subprocess.Popen([*REPRO, *words], stdout=subprocess.PIPE) as process:
        assert process.stdout
        process.stdout.readline()
        began = time.monotonic()
        process.communicate(timeout=LONGEST)
        assert process.returncode == 0, words
        return time.monotonic() - began


def killed(words: list[str], most: float, chance: random.Random, begun: bool) -> bool:
    """Return whether a command was still at work when it was killed, at a random moment.

    `begun`: not before its first line, which it prints when one folder is there.
    """
    with subprocess.Popen(
        [*REPRO, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout
        if begun:
            process.stdout.readline()
        time.sleep(chance.random() * most)
        still = process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return still


@dataclass
class Trials:
    """The evidence, where it goes, and what came of it so far."""

    work: Path
    place: Place
    chance: random.Random
    before: dict[str, bytes]
    rounds: int = 0
    table: Counter[tuple[str, bool]] = field(default_factory=Counter)

    @property
    def source(self) -> Path:
        """Return the results folder that is pushed."""
        return self.work / "source"

    def fresh(self) -> tuple[str, Path]:
        """Return a URL and a results folder that nothing was brought to yet."""
        self.rounds += 1
        return f"{self.place.url}/{self.rounds}", self.work / f"target-{self.rounds}"

    def push(self, url: str) -> list[str]:
        """Return the words of a push."""
        return ["push", url, "--results", str(self.source)]

    def pull(self, url: str, target: Path) -> list[str]:
        """Return the words of a pull."""
        return ["pull", url, "--results", str(target)]

    def settle(self, url: str, target: Path, there: bool = False) -> None:
        """Bring everything to its end, and compare all bits; `there`: it is all there."""
        if not there:
            done(self.push(url))
        done(self.pull(url, target))
        assert content(target) == self.before, "what arrived is other"
        assert whole(target) == whole(self.source)
        assert not (target / ARRIVING).exists()
        assert not [*target.rglob("*.tmp")], "a file is left over"
        shutil.rmtree(target)

    def only_ours(self, target: Path) -> None:
        """Refuse what is other than what was pushed."""
        whole(target)
        assert content(target).items() <= self.before.items(), f"{target}: holds something else"
        assert content(self.source) == self.before, "what was pushed was changed"


def parcels(url: str) -> int:
    """Return how many folders are there whole."""
    with open_shelf(url, new=True) as shelf:
        return len(shelf.names(PARCELS))


def kill(trials: Trials, moments: int, run: list[str] | None) -> int:
    """Return how many pushes left some runs there and not all, of commands killed in turn.

    A place and a target are used until the place is full.
    """
    url, target = trials.fresh()
    most = {"push": done(trials.push(url)), "pull": done(trials.pull(url, target)), "ingest": 4.0}
    every, partly = parcels(url), 0
    if run:
        began = time.monotonic()
        done([*run, str(trials.work / "undisturbed")])
        most["run"] = time.monotonic() - began
    trials.settle(url, target)
    url, target = trials.fresh()
    there = parcels(url)  # a place that is not there cannot be pulled from
    made, turns = trials.work / "made", ["push", "pull", *(["ingest", "run"] if run else [])]
    for number in range(moments):
        name = turns[number % len(turns)]
        if name == "run" and any(made.glob("runs/*/*/done.json")):
            made = trials.work / f"made-{number}"  # what has finished cannot be killed
        words = {
            "push": trials.push(url),
            "pull": trials.pull(url, target),
            "ingest": ["ingest", "--results", str(trials.source)],
            "run": [*(run or ()), str(made)],
        }[name]
        begun = name in ("push", "pull") and number // len(turns) % 4 > 0
        longest = most[name] if begun or name in ("ingest", "run") else FIRST_LINE
        longest *= SOONER
        trials.table[name, killed(words, longest, trials.chance, begun)] += 1
        there, before = parcels(url), there
        partly += name == "push" and before < there < every
        for results in (target, made):
            if results.exists():
                whole(results)
        trials.only_ours(target)
        if there == every and name == "pull":  # what is there already is soon sent
            trials.settle(url, target)
            url, target = trials.fresh()
            there = parcels(url)
    trials.settle(url, target)
    if run:
        done(["ingest", "--results", str(trials.source)])
        done([*run, str(made)])
        with connect(trials.source) as connection:
            compare_with_folders(trials.source, connection, deep=True)
        numbers = {
            path.read_bytes() for path in trials.work.glob("*/runs/killed/*/steps/*.parquet")
        }
        assert len(numbers) == 1, "a killed run has other numbers"
    return partly


def harm_there(trials: Trials, harms: int) -> Counter[str]:
    """Change, cut and empty files there; each is named by a pull, which brings all else."""
    url, target = trials.fresh()
    trials.settle(url, target)
    counts: Counter[str] = Counter()
    kinds = ("blobs", PARCELS, "lists", "seals", "statements")
    edits = ("changed", "cut", "emptied")
    with open_shelf(url) as shelf:
        for number in range(harms):
            kind, edit = kinds[number % 5], edits[number % 3]
            name = trials.chance.choice(shelf.names(kind))
            data = b"".join(shelf.chunks(name))
            _put(shelf, name, _edited(data, edit, trials.chance), trials.work)
            _, target = trials.fresh()
            found = subprocess.run(
                [*REPRO, *trials.pull(url, target)], capture_output=True, text=True, check=False,
                timeout=LONGEST,
            )  # fmt: skip
            assert found.returncode == 3, (name, edit, found)
            assert Path(name).name in found.stderr, (name, edit, found.stderr)
            trials.only_ours(target)
            assert content(target) != trials.before
            _put(shelf, name, data, trials.work)
            trials.settle(url, target, there=True)
            counts[f"{kind} {edit}"] += 1
    return counts


def _edited(data: bytes, edit: str, chance: random.Random) -> bytes:
    """Return other bytes: one bit of them is another, or the end is missing, or all of it."""
    at = chance.randrange(len(data))
    if edit == "changed":
        return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]
    return data[:at] if edit == "cut" else b""


def _put(shelf: Shelf, name: str, data: bytes, work: Path) -> None:
    """Replace a file there."""
    (work / "harmed").write_bytes(data)
    shelf.put(name, work / "harmed")


def harm_on_the_way(trials: Trials, harms: int) -> Counter[str]:
    """Change one bit of what passes, or cut it off, in either direction, at a random byte."""
    assert trials.place.port
    counts: Counter[str] = Counter()
    url, target = trials.fresh()
    most = {}
    for verb in ("push", "pull"):
        way = Way(trials.place.port)
        _by(trials, way, verb, url, target)
        most[verb] = dict(way.passed)
        way.close()
    trials.settle(url, target)
    full = url
    for number in range(harms):
        verb, harm, up = ("push", "pull")[number % 2], ("flip", "cut")[number // 2 % 2], number // 4 % 2 == 0  # fmt: skip
        url, target = trials.fresh()
        url = full if verb == "pull" else url
        way = Way(trials.place.port, harm, up, trials.chance.randrange(most[verb][up]))
        found = _by(trials, way, verb, url, target)
        way.close()
        assert found.returncode in (0, 2, 3), (verb, harm, up, way.at, found)
        assert "Traceback" not in found.stderr, found.stderr
        trials.only_ours(target)
        outcome = {0: "no harm was left", 2: "one line, ended", 3: "left out, named"}
        counts[f"{verb} {harm} {'up' if up else 'down'}: {outcome[found.returncode]}"] += 1
        trials.settle(url, target, there=verb == "pull")
    return counts


def _by(
    trials: Trials, way: Way, verb: str, url: str, target: Path
) -> subprocess.CompletedProcess[str]:
    """Push or pull by a way."""
    place = trials.place.through(way.port)
    url = url.replace(trials.place.url, place.url)
    words = trials.push(url) if verb == "push" else trials.pull(url, target)
    environment = {**os.environ, **place.environment}
    return subprocess.run(
        [*REPRO, *words], capture_output=True, text=True, check=False, env=environment,
        timeout=LONGEST,
    )  # fmt: skip


def main(work: Path, moments: int = 50, seed: int = 35, kind: str = "folder", harms: int = 0) -> None:  # fmt: skip
    """Print what came of kills and harms."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    work.mkdir(parents=True)
    source, run = work / "source", None
    for name in ("runs", "asked", "seals"):
        shutil.copytree(KEPT / name, source / name)
    for manifest in ("smoke", "canary_entropies"):
        folders = finished_folders(source, manifest).folders
        attest_runs(source, manifest, folders, (), Ed25519PrivateKey.generate())
    if kind == "folder":
        (work / "killed.yaml").write_text(MANIFEST)
        done(["fetch", str(work / "killed.yaml")])
        run = ["run", str(work / "killed.yaml"), "--runner", "local", "--results"]
    with opened_place(kind, work) as place:
        os.environ.update(place.environment)
        trials = Trials(work, place, random.Random(seed), content(source))
        partly = kill(trials, moments, run)
        print(
            f"{kind}: {moments} moments, seed {seed}: nothing lost, the same bits; after {partly} "
            "pushes some runs were there and not all", flush=True,
        )  # fmt: skip
        for name in dict.fromkeys(name for name, _ in trials.table):
            at_work, ended = trials.table[name, True], trials.table[name, False]
            print(f"| {name} | killed at work {at_work} | had ended {ended} |", flush=True)
        for count in (harm_there, *([harm_on_the_way] if place.port else [])):
            for line, number in sorted(count(trials, harms).items()) if harms else ():
                print(f"| {count.__name__} | {line} | {number} |", flush=True)


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main(Path(sys.argv[1]), *map(int, sys.argv[2:4]), *sys.argv[4:5], *map(int, sys.argv[5:6]))
