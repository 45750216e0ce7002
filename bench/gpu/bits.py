"""One run of the smoke manifest twice, and once more killed twice: the same bits each time."""

import hashlib
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from bench.gpu.commands import RESULTS, ROOT, run_smoke
from bench.gpu.parts import PROOF
from bench.gpu.scale import Scale
from bench.table import Row, row
from repro.execute.folders import cache_folder
from repro.execute.worker_command import run_command

CHOSEN = "tiny-qwen2-B3-s0"
KILLS = 2
LIMIT = 120
"""Seconds of one attempt."""


def rows(scale: Scale) -> Iterator[Row]:
    """Yield whether files of activations and the adapter are the same, byte for byte."""
    (first,) = run_smoke(scale, CHOSEN)
    expected = digests(first)
    for label, kills in (("carried out again", 0), ("killed twice on its way", KILLS)):
        again, happened = repeated(first, label.split()[0], kills)
        found = digests(again)
        same = sum(found.get(name) == value for name, value in expected.items())
        note = f"{CHOSEN}; {happened} of {kills} kills came before its end" if kills else CHOSEN
        yield row(
            f"{PROOF}files of a run {label} that are the same bytes",
            100 * same / len(expected),
            "%",
            100,
            note=note,
        )


def digests(folder: Path) -> dict[str, str]:
    """Return the digest of each file with activations or weights."""
    files = [
        path
        for kind in ("adapter", "activations")
        for path in (folder / kind).glob("*.safetensors")
    ]
    found = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(files)
    }
    if not found:
        raise RuntimeError(f"{folder}: no activations and no adapter to compare")
    return found


def repeated(first: Path, label: str, kills: int) -> tuple[Path, int]:
    """Carry out a run's folder again, killed so many times. Return it, and the kills that hit."""
    folder, happened = RESULTS.parent / f"bits-{label}", 0
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in ("run.json", "probes.json"):
        shutil.copy(first / name, folder / name)
    command = run_command(folder, cache_folder())
    for attempt in range(kills):
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        while process.poll() is None and _step(folder) < 2 * attempt + 1:
            time.sleep(0.005)
        if process.poll() is None:
            process.send_signal(signal.SIGKILL)
            happened += 1
        process.communicate(timeout=LIMIT)
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT, check=False
    )
    if done.returncode:
        raise RuntimeError(
            f"the run {label} ended with {done.returncode}: {done.stderr.strip()[-200:]}"
        )
    return folder, happened


def _step(folder: Path) -> int:
    """Return the step that a worker says it is at."""
    try:
        return int(
            json.loads((folder / "progress.json").read_text(encoding="utf-8")).get("step") or 0
        )
    except (OSError, ValueError):
        return 0
