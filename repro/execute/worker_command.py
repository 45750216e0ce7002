"""Spell the worker's command line (`repro.worker`) and read its last words.

No other module spells it.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from repro.errors import last_line
from repro.execute.given import worker_environment

_NAME = "repro.worker"
LEASH = "--end-with-stdin"
"""Option that makes a worker end when its standard input does."""
TOLD = 5  # last lines that a worker which failed is remembered by
_INSIDE = "/opt/venv/bin/python"
"""Python interpreter in an image."""
_EVIDENCE, CACHE = "/evidence", "/cache"
"""Where a container has its run's folder and the cache."""


def worker_command(verb: str, *arguments: object, python: str = sys.executable) -> list[str]:
    """Return the command that starts a worker."""
    return [python, "-m", _NAME, verb, *map(str, arguments)]


def run_command(
    folder: Path | str, cache: Path | str, *options: str, python: str = sys.executable
) -> list[str]:
    """Return the command that carries out a folder's run."""
    return worker_command("run", folder, "--cache", cache, *options, python=python)


def run_inside() -> list[str]:
    """Return the same command inside a container."""
    return run_command(_EVIDENCE, CACHE, python=_INSIDE)


def is_worker(words: Sequence[str] | None) -> bool:
    """Return whether a process's command line is a worker's."""
    return _NAME in (words or ())


def last_words(text: str, otherwise: str) -> str:
    """Return the last line that a worker printed, without its name."""
    return last_line(text, otherwise).removeprefix(f"{_NAME}: ")


def hear_worker(verb: str, spec: Any, heard: Callable[[str], None]) -> str | None:
    """Run a worker that says what it is at, line by line; return what went wrong, or None.

    It ends with this process, in whatever way that ends.
    """
    with tempfile.TemporaryDirectory(prefix="repro-") as folder:
        file = Path(folder) / "spec.json"
        file.write_text(json.dumps(spec), encoding="utf-8")
        process = subprocess.Popen(
            worker_command(verb, file, LEASH),
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
            # Threads that wait actively slow each other down on a busy machine.
            env=worker_environment(OMP_WAIT_POLICY="PASSIVE"),
        )  # fmt: skip
        assert process.stderr is not None
        last: list[str] = []
        try:
            for line in filter(None, map(str.strip, process.stderr)):
                last = [*last[1 - TOLD :], line]
                heard(line)
        except BaseException:
            process.terminate()
            process.wait()
            raise
        code = process.wait()
    said = "\n".join(last)
    if code < 0:  # the kernel ends a process so where memory runs out
        return (
            f"the worker was killed by signal {-code}; its last words: "
            f"{last_words(said, 'none')}; the same command goes on where it was"
        )
    return last_words(said, f"ended with code {code}") if code else None


def call_worker(verb: str, spec: Any) -> str | None:
    """Run a worker on a description. Return what went wrong, in one line, or None."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", suffix=".json") as file:
        file.write(json.dumps(spec))
        file.flush()
        done = subprocess.run(
            worker_command(verb, file.name),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    return last_words(done.stderr, "?") if done.returncode else None
