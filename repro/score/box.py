"""Define what every box offers the host: input, output, and meters that the box cannot reach."""

import os
import select
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Protocol

from repro.errors import SetupError
from repro.score import inside

MEMORY = 4 << 30
"""Bytes of address space of a candidate, as in EvalPlus; the box as a whole gets an eighth more."""
SCRATCH = 64 << 20
"""Bytes of files that a candidate may have."""
PROCESSES = 64
OPEN_FILES = 256
LONGEST_LIFE = 3600
"""CPU seconds after which the kernel ends a process whose host has died."""
NOBODY = 10001
"""User id of a candidate where the host is root."""
SOURCE = Path(inside.__file__).read_text(encoding="utf-8")
PACKAGES = ("numpy", "numpy.libs")
"""Folders of NumPy, the only package besides the standard library that candidates find, as in
EvalPlus.
"""
ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "LANG": "C.UTF-8", "PYTHONHASHSEED": "0"}
OPTIONS = ("-s", "-S", "-B", "-P")
Memory = Literal["no", "limit", "machine"]


class ExhaustedError(Exception):
    """The box could not do its work, for reasons other than the candidate: no score follows
    from it.
    """


class Box(Protocol):
    """One closed box with one process in it, made for one candidate and then removed."""

    def write(self, data: bytes) -> None:
        """Send bytes in. Raises OSError when the box is gone."""

    def read(self, seconds: float) -> bytes | None:
        """Return the output; None when there was none in this time, b"" at the end."""

    def processor_seconds(self) -> float:
        """Return the CPU time of everything in the box so far."""

    def out_of_memory(self) -> Memory:
        """Return whether the kernel ended something in the box for memory, and for whose limit."""

    def close(self) -> None:
        """End everything in the box and remove it."""


class Sandbox(Protocol):
    """Makes boxes of one kind."""

    @property
    def kind(self) -> str:
        """Return its name, as the command and the record use it."""

    def open(self) -> Box:
        """Start a box. Raises ExhaustedError when none can be started now."""

    def close(self) -> None:
        """Remove what boxes leave behind together."""


@dataclass(frozen=True)
class Closed:
    """The conditions a box must meet, seen from inside, before a candidate enters it."""

    expected: bool = True

    def refuse(self, facts: dict[str, Any]) -> None:
        """Raise SetupError naming what is open."""
        if not self.expected:
            return
        rules = {
            "runs as root": facts.get("user") == 0,
            "has capabilities": facts.get("capabilities") != 0,
            "may gain privileges": facts.get("no_new_privileges") is not True,
            "has no filter of system calls": facts.get("seccomp") is not True,
            "has a network": not set(facts.get("interfaces", ["?"])) <= {"lo"},
            "has a writable root": facts.get("root_read_only") is not True,
            "sees other processes": not 0 < int(facts.get("processes", 0)) <= 3,
        }
        if wrong := [words for words, broken in rules.items() if broken]:
            raise SetupError(
                f"sandbox: the box {', '.join(wrong)} as seen from inside; no candidate is run "
                "in it"
            )


def numpy_folders() -> list[str]:
    """Return the folders of this interpreter's NumPy."""
    spec = find_spec("numpy")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    site = Path(next(iter(spec.submodule_search_locations))).parent
    return [str(site / name) for name in PACKAGES if (site / name).is_dir()]


def interpreter() -> tuple[str, str]:
    """Return (this Python without its environment, the folder it needs)."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return str(Path(sys.base_prefix) / "bin" / name), sys.base_prefix


def write_pipe(process: subprocess.Popen[bytes], data: bytes) -> None:
    """Send bytes to a process. Raises OSError when it is gone."""
    assert process.stdin is not None
    process.stdin.write(data)
    process.stdin.flush()


def read_pipe(process: subprocess.Popen[bytes], seconds: float) -> bytes | None:
    """Return what a process printed; None when there was nothing in this time, b"" at the end."""
    assert process.stdout is not None
    ready, _, _ = select.select([process.stdout], [], [], seconds)
    return os.read(process.stdout.fileno(), 1 << 20) if ready else None


def close_pipes(process: subprocess.Popen[bytes]) -> None:
    """Close both pipes of a killed process and wait for its end."""
    for pipe in (process.stdin, process.stdout):
        assert pipe is not None
        try:
            pipe.close()
        except OSError:  # Bytes not sent yet have no reader any more.
            continue
    process.wait()
