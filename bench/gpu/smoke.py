"""The smoke manifest as a user runs it, against a processor's evidence.

The carried evidence is that; where the interpreter's texts are of another edition, which the random
models' tokenizers are made from, the base models are measured again on this machine's processor.
"""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from bench.gpu.commands import RESULTS, ROOT, repro, run_smoke, slot
from bench.gpu.parts import PROOF, stated
from bench.gpu.scale import Scale
from bench.table import Row, row
from repro.plan.texts import edition

CARRIED = ROOT / "evidence" / "runs" / "smoke"
START = "000000.safetensors"
BAR = 2e-4
"""Largest difference of base activations, relative to the largest activation.

8e-5 was seen on an H100 (tiny-mistral).
"""
RUNS = 13
FEW = "tiny-qwen2-B[03]*"
"""What a rehearsal runs."""


def rows(scale: Scale) -> Iterator[Row]:
    """Yield how many runs were finished and verified, and how far base activations are away."""
    folders = run_smoke(scale, FEW if scale.rehearsed else "*")
    done = [folder for folder in folders if _ended(folder) == "done"]
    wanted = 3 if scale.rehearsed else RUNS
    yield row(f"{PROOF}smoke runs that were finished", len(done), "runs", wanted)
    repro("ingest")
    verified = json.loads(repro("verify", "smoke", "--json", codes=(0, 1, 3)))["counts"]["measured"]
    note = ", ".join(f"{word} {count}" for word, count in verified.items() if count)
    yield stated("claims that verify asks these runs about", sum(verified.values()), "claims", note)
    kept, where = reference(scale)
    found = differences(done, kept)
    worst = max(found, key=lambda name: found[name], default="")
    if not found:
        raise RuntimeError(f"no run of {where} has the base activations of one here")
    yield row(
        f"{PROOF}base activations against a processor's, largest difference",
        found[worst],
        "relative",
        BAR,
        at_most=True,
        note=f"{len(found)} runs, the worst {worst}; {where}",
    )


def _ended(folder: Path) -> str:
    """Return how a run ended; "unfinished" for one that did not."""
    path = folder / "done.json"
    told = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return str(told.get("status", "unfinished"))


def reference(scale: Scale) -> tuple[Sequence[Path], str]:
    """Return folders of runs on a processor, and in words where they are from."""
    carried = sorted(path for path in CARRIED.glob("*") if path.is_dir())
    if carried and _texts(carried[0]) == edition():
        return carried, "the evidence that the repository carries"
    folder = RESULTS.with_name("results-processor")
    found = run_smoke(scale, "tiny-*-B0", results=folder, hidden=True)
    return found, "measured on this machine's processor"


def _texts(folder: Path) -> str:
    """Return the edition of the interpreter's texts that a run read."""
    run = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    return str(run["run"]["environment"]["texts"])


def differences(here: Sequence[Path], there: Sequence[Path]) -> dict[str, float]:
    """Return by slot the largest difference of base activations, relative to the largest one."""
    twins = {slot(folder): folder for folder in there}
    found = {}
    for folder in here:
        mine = folder / "activations" / START
        theirs = twins.get(slot(folder), folder.parent / "none") / "activations" / START
        if mine.is_file() and theirs.is_file():
            a, b = (load_file(file)["activations"] for file in (mine, theirs))
            found[slot(folder)] = float(np.abs(a - b).max() / np.abs(b).max())
    return found
