"""`make gpu`: correctness, speed and memory on a card, in eight minutes. Writes build/gpu.json.

    python -m bench.gpu [PART …]              on a machine with a GPU, all parts or some
    python -m bench.gpu [PART …] --rehearse   every part really, on the processor, with tiny sizes;
                                              writes build/gpu_rehearsal.json
    python -m bench.gpu --list                the parts, and how long each takes

Each part has its own process and time limit: one that fails or hangs is a row with its reason, and
the others go on. Exit codes: 0 every part gave its rows and every proof holds (a missed speed is
told, and is no failure) · 1 a proof failed · 2 no GPU, or bad input · 3 something was not found.
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.__main__ import show
from bench.gpu.parts import PARTS, code, counted, failed, stated
from bench.table import Row

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "gpu"
"""What the parts write: results of runs, which begin anew each time."""
SECONDS = 480
"""Time limit of all parts together."""
PATIENCE = 5
"""Factor on every time limit in a rehearsal: a processor is slow, and often busy."""
MARK = "ROW "
"""What a line with a row begins with (`bench.gpu.child`)."""


def main(words: Sequence[str] | None = None) -> int:
    """Run the named parts, or all. Return the exit code."""
    given = _given(words)
    if given.list:
        print(
            "\n".join(
                f"{name:8} about {one.seconds:3} s  {one.about}" for name, one in PARTS.items()
            )
        )
        return 0
    unknown = [name for name in given.parts if name not in PARTS]
    if unknown:
        print(f"gpu: no part {unknown[0]!r}; there are {', '.join(PARTS)}.", file=sys.stderr)
        return 2
    device, problem = "cpu" if given.rehearse else "cuda", "" if given.rehearse else no_card()
    if problem:
        print(
            f"gpu: {problem}; run it where there is a card, or rehearse it with tiny sizes on "
            "the processor: make gpu DEVICE=cpu",
            file=sys.stderr,
        )
        return 2
    output = Path(given.out) if given.out else ROOT / "build" / _file(device)
    shutil.rmtree(WORK / "results", ignore_errors=True)
    found = run([name for name in PARTS if name in given.parts] or [*PARTS], device)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(found, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    show(found)
    print(f"written to {output}")
    return code(found)


def _given(words: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="make gpu")
    parser.add_argument("parts", nargs="*", metavar="PART")
    parser.add_argument("--rehearse", action="store_true")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--out")
    return parser.parse_args(words)


def _file(device: str) -> str:
    """Return the report's name. A rehearsal is never taken for a card's."""
    return "gpu.json" if device == "cuda" else "gpu_rehearsal.json"


def no_card() -> str:
    """Return why no card can be used, or nothing. torch is asked in a process of its own."""
    ask = [sys.executable, "-m", "repro.worker", "devices"]
    asked = subprocess.run(ask, capture_output=True, text=True, cwd=ROOT, check=False)
    if asked.returncode:
        return f"torch cannot be asked ({(asked.stderr.strip() or 'it said nothing').splitlines()[-1]})"
    told = json.loads(asked.stdout.splitlines()[-1])
    return "" if told["count"] else f"torch (CUDA: {told['cuda'] or 'none'}) finds no GPU here"


def run(names: Sequence[str], device: str, seconds: float = SECONDS) -> list[Row]:
    """Return the rows of parts, one after the other, within the time of all."""
    begin, found = time.monotonic(), list[Row]()
    more = PATIENCE if device == "cpu" else 1
    for name in names:
        left, part = more * seconds - (time.monotonic() - begin), PARTS[name]
        print(f"gpu: {name} (about {part.seconds} s on an H100): {part.about}", flush=True)
        start = time.monotonic()
        rows = counted(part_rows(name, device, min(more * part.limit, left)))
        took = time.monotonic() - start
        found += [
            *rows,
            stated(f"time of part {name}", took, "s", f"ended after {more * part.limit} s"),
        ]
        print(f"gpu: {name} took {took:.0f} s", flush=True)
    return [
        *found,
        stated(
            "time of all parts",
            time.monotonic() - begin,
            "s",
            f"ended after {more * seconds:.0f} s",
        ),
    ]


def part_rows(name: str, device: str, limit: float) -> list[Row]:
    """Return the rows of a part; where it did not end well, the last says why."""
    if limit < 1:
        return [failed(name, "not begun, the time of all parts was up")]
    command = [sys.executable, "-m", "bench.gpu.child", name, device]
    # Tiny products are no faster on many cores, and far slower where the cores are busy.
    hidden = (
        {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1", "TRITON_INTERPRET": "1"}
        if device == "cpu"
        else {}
    )
    with tempfile.TemporaryFile("w+", encoding="utf-8") as told:
        process = subprocess.Popen(
            command,
            stdout=told,
            text=True,
            cwd=ROOT,
            env={**os.environ, **hidden},
            start_new_session=True,
        )
        try:
            ended = process.wait(limit)
            why = f"ended with code {ended}; its last words are above" if ended else ""
        except subprocess.TimeoutExpired:
            why = f"not finished after {limit:.0f} s"
        finally:
            _end(process)
        told.seek(0)
        lines = [line for line in told.read().splitlines() if line.startswith(MARK)]
    rows: list[Row] = [json.loads(line.removeprefix(MARK)) for line in lines if _whole(line)]
    if not rows and not why:
        why = "gave no rows"
    return [*rows, *([failed(name, why)] if why else [])]


def _whole(line: str) -> bool:
    """Return whether a line was written to its end."""
    return line.endswith("}")


def _end(process: subprocess.Popen[str]) -> None:
    """End a part and everything that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


if __name__ == "__main__":
    sys.exit(main())
