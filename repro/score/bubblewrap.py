"""Make boxes with bubblewrap, for machines without a container engine.

It uses namespaces, a system-call filter and a control group. A box has no network, its own
processes, a read-only root with only the system's programs and this Python, and a small folder in
memory. Started by root, it becomes an unprivileged user before the candidate enters; started by
others, it is in a user namespace of its own.
"""

import itertools
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile

from repro.errors import SetupError
from repro.score.box import (
    ENVIRONMENT,
    LONGEST_LIFE,
    MEMORY,
    NOBODY,
    OPEN_FILES,
    OPTIONS,
    PROCESSES,
    SCRATCH,
    SOURCE,
    Box,
    ExhaustedError,
    Memory,
    close_pipes,
    interpreter,
    numpy_folders,
    read_pipe,
    write_pipe,
)
from repro.score.cgroups import Group, make_group
from repro.score.seccomp import program

SYSTEM = ("/usr", "/bin", "/lib", "/lib64")
_PACKAGES = "/packages"
"""Folder of NumPy in a box."""
_numbers = itertools.count()


@dataclass(frozen=True)
class Bubblewrap:
    """Makes boxes with one `bwrap`."""

    path: str
    kind: str = "bubblewrap"

    def open(self) -> Box:
        """Start a box.

        Raises ExhaustedError when none can be started now, SetupError when this machine
        allows none.
        """
        group = make_group(
            f"repro-score-{os.getpid()}-{next(_numbers)}", MEMORY + MEMORY // 8, PROCESSES
        )
        try:
            return BubblewrapBox(group, _start(self.path, group))
        except OSError as error:
            group.remove()
            raise ExhaustedError(f"bubblewrap could not be started ({error.strerror})") from error

    def close(self) -> None:
        """Do nothing: boxes leave nothing behind."""


@dataclass(frozen=True)
class BubblewrapBox:
    """One box and the process that made it."""

    group: Group
    process: subprocess.Popen[bytes]

    def write(self, data: bytes) -> None:
        """Send bytes in."""
        write_pipe(self.process, data)

    def read(self, seconds: float) -> bytes | None:
        """Return the output."""
        return read_pipe(self.process, seconds)

    def processor_seconds(self) -> float:
        """Return the CPU time of everything in the box."""
        return self.group.processor_seconds()

    def out_of_memory(self) -> Memory:
        """Return whether memory ran out, and for whose limit."""
        return self.group.out_of_memory()

    def close(self) -> None:
        """End the first process of the box; the kernel then ends all others."""
        self.process.kill()
        close_pipes(self.process)
        self.group.remove()


def find_bubblewrap() -> Bubblewrap:
    """Return a working bubblewrap. Raises SetupError saying what is missing or forbidden."""
    path = shutil.which("bwrap")
    if path is None:
        raise SetupError(
            "bubblewrap: found no program bwrap; install it (Debian: apt-get install bubblewrap)"
        )
    program()
    return Bubblewrap(path)


def _start(bwrap: str, group: Group) -> subprocess.Popen[bytes]:
    """Start bubblewrap inside the group, without waiting.

    A failure shows as the end of its output.
    """
    limits = f"ulimit -c 0; ulimit -n {OPEN_FILES}; ulimit -t {LONGEST_LIFE}; "
    with TemporaryFile() as rules:
        rules.write(program())
        rules.seek(0)
        shell = ["/bin/sh", "-c", f'{group.join_command()}{limits}exec "$@"', "sh"]
        return subprocess.Popen(
            [*shell, *_command(bwrap, rules.fileno())],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env={}, cwd="/",
            pass_fds=[rules.fileno()], start_new_session=True,
        )  # fmt: skip


def _command(bwrap: str, rules: int) -> list[str]:
    """Return the command of a box."""
    root = os.getuid() == 0
    python, home = interpreter()
    seen = [*(path for path in SYSTEM if Path(path).exists()), *([] if home in SYSTEM else [home])]
    above = [
        str(path)
        for path in reversed(Path(home).parents)
        if home not in SYSTEM and path != Path("/")
    ]
    packages = {folder: f"{_PACKAGES}/{Path(folder).name}" for folder in numpy_folders()}
    given = json.dumps(
        {"user": NOBODY if root else None, "packages": list(packages.values()), "alone": True}
    )
    return [
        bwrap, "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try",
        "--die-with-parent", "--new-session", "--cap-drop", "ALL",
        *(("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID") if root else ("--unshare-user",)),
        # Folders that bubblewrap makes itself are closed to others unless it is told a mode.
        *(word for path in (*above, _PACKAGES) for word in ("--perms", "0755", "--dir", path)),
        *(word for path in seen for word in ("--ro-bind", path, path)),
        *(word for pair in packages.items() for word in ("--ro-bind", *pair)),
        "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev",
        "--perms", "1777", "--size", str(SCRATCH), "--tmpfs", "/tmp", "--remount-ro", "/",
        "--chdir", "/tmp", "--clearenv", *(word for pair in ENVIRONMENT.items() for word in ("--setenv", *pair)),
        "--seccomp", str(rules), python, *OPTIONS, "-c", SOURCE, given,
    ]  # fmt: skip
