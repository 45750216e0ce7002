"""Read and limit a box's control group from the host, in version 1 and version 2.

It measures CPU time and limits memory and processes. What a box uses is measured here and not
inside it: children, orphans and threads count, and a candidate cannot set a clock.
"""

import errno
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from repro.errors import SetupError

ROOT = Path("/sys/fs/cgroup")
NEEDED = ("memory", "pids")
NEAR = 1 << 20
"""Bytes below its limit at which a group counts as full: the kernel charges memory in portions."""
_PATIENCE = 10.0  # seconds for killed processes to be gone
Part = Literal["cpuacct", "memory", "pids", "unified"]


@dataclass(frozen=True)
class Group:
    """The control group of one box: a folder for each hierarchy (version 1), or one for all
    (`unified`).
    """

    parts: dict[Part, Path]

    def processor_seconds(self) -> float:
        """Return the CPU time of everything that ever ran in it."""
        if "cpuacct" in self.parts:
            return int((self.parts["cpuacct"] / "cpuacct.usage").read_text(encoding="utf-8")) / 1e9
        return _field(self.parts["unified"] / "cpu.stat", "usage_usec") / 1e6

    def out_of_memory(self) -> Literal["no", "limit", "machine"]:
        """Return whether the kernel ended a process for memory.

        "limit": for the group's limit; "machine": because the machine had none left.
        """
        if "memory" in self.parts:
            # Its failcnt stays 0 if the limit with swap is reached first.
            memory = self.parts["memory"]
            killed = _field(memory / "memory.oom_control", "oom_kill")
            most, limit = (
                int((memory / f"memory.{name}_in_bytes").read_text(encoding="utf-8"))
                for name in ("max_usage", "limit")
            )
            reached = most + NEAR >= limit
        else:
            events = self.parts["unified"] / "memory.events"
            killed, reached = _field(events, "oom_kill"), _field(events, "oom") > 0
        return "no" if not killed else "limit" if reached else "machine"

    def join_command(self) -> str:
        """Return shell commands that put the shell into the group, or end it with code 97."""
        files = (f"'{path / 'cgroup.procs'}'" for path in self.parts.values())
        return "".join(f"echo $$ > {file} || exit 97; " for file in files)

    def processes(self) -> set[int]:
        """Return every process in the group."""
        try:
            return {
                int(line)
                for path in self.parts.values()
                for line in (path / "cgroup.procs").read_text(encoding="utf-8").split()
            }
        except OSError:
            return set()

    def remove(self) -> None:
        """End what is left in the group and remove it.

        Raises SetupError when something does not end.
        """
        end = time.monotonic() + _PATIENCE
        while left := self.processes():
            for process in left:
                try:
                    os.kill(process, signal.SIGKILL)
                except ProcessLookupError:
                    continue
            if time.monotonic() > end:
                raise SetupError(
                    f"process {min(left)}: does not end after SIGKILL; end it, then score again"
                )
            time.sleep(0.002)
        for path in self.parts.values():
            _remove_folder(path, end)


def _remove_folder(path: Path, end: float) -> None:
    """Remove a group's folder; wait while the kernel still holds it.

    Raises SetupError after `end`.
    """
    while True:
        try:
            path.rmdir()
            return
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > end:
                raise SetupError(f"{path}: could not be removed ({error.strerror})") from error
            time.sleep(0.002)


def _field(path: Path, name: str) -> int:
    """Return one number of a file of names and numbers; 0 where the kernel does not report it."""
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return next((int(words[1]) for words in lines if words and words[0] == name), 0)


def group_of(process: int, root: Path = ROOT) -> Group:
    """Return the group that a container engine put a process into.

    Raises SetupError where it cannot be seen.
    """
    parts: dict[Part, Path] = dict(_places(Path(f"/proc/{process}/cgroup"), root))
    if parts.keys() >= {"cpuacct", "memory"}:
        parts.pop("unified", None)
    if not parts or not all(path.is_dir() for path in parts.values()):
        raise SetupError(
            f"process {process}: its control group cannot be seen under {root}, so its "
            "processor time cannot be "
            "measured; score on the machine that the engine runs on"
        )
    return Group(parts)


def make_group(name: str, memory: int, processes: int, root: Path = ROOT) -> Group:
    """Make a group for a box, below this process's own.

    Raises SetupError where that is not allowed.
    """
    parts = {part: place / name for part, place in _parents(root).items()}
    group = Group(parts)
    try:
        for path in parts.values():
            path.mkdir()
        if "memory" in parts:
            _write(parts["memory"] / "memory.limit_in_bytes", memory)
            _write(parts["memory"] / "memory.memsw.limit_in_bytes", memory, may_be_absent=True)
            _write(parts["pids"] / "pids.max", processes)
        else:
            _write(parts["unified"] / "memory.max", memory)
            _write(parts["unified"] / "memory.swap.max", 0, may_be_absent=True)
            _write(parts["unified"] / "pids.max", processes)
    except OSError as error:
        group.remove()
        raise SetupError(f"control group {name}: could not be made ({error.strerror})") from error
    return group


def _write(path: Path, value: int, may_be_absent: bool = False) -> None:
    """Write a limit; skip a file that may be absent and is."""
    if path.exists() or not may_be_absent:
        path.write_text(str(value), encoding="utf-8")


def _parents(root: Path) -> dict[Part, Path]:
    """Return the folders in which this process may make groups with every limit a box needs.

    Raises SetupError.
    """
    own = dict(_places(Path("/proc/self/cgroup"), root))
    if own.keys() >= {"cpuacct", "memory", "pids"}:
        first: tuple[Part, ...] = ("cpuacct", "memory", "pids")
        parents = {part: own[part] for part in first}
    else:
        parents = {"unified": place} if (place := _delegated(own.get("unified"), root)) else {}
    if not parents or not all(os.access(path, os.W_OK) for path in parents.values()):
        raise SetupError(
            "control groups: this user may make none with limits of memory and processes; "
            "start the command with "
            "systemd-run --user --scope -p Delegate=yes, as root, or use Docker"
        )
    return parents


def _delegated(own: Path | None, root: Path) -> Path | None:
    """Return the nearest folder above (version 2) that delegates memory and processes to its
    groups.
    """
    while own is not None and (own == root or root in own.parents):
        control = own / "cgroup.subtree_control"
        if (
            control.exists()
            and set(NEEDED) <= set(control.read_text(encoding="utf-8").split())
            and os.access(own, os.W_OK)
        ):
            return own
        own = own.parent
    return None


def _places(membership: Path, root: Path) -> Iterator[tuple[Part, Path]]:
    """Yield (hierarchy, folder) of a process, from /proc/PID/cgroup.

    The folder of version 2 may lie below `unified`.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        number, controllers, path = line.split(":", 2)
        if number == "0":
            top = root / "unified" if (root / "unified").is_dir() else root
            yield "unified", top / path.lstrip("/")
        for part in controllers.split(","):
            if part in ("cpuacct", "memory", "pids"):
                yield part, root / _mounted(part, root) / path.lstrip("/")  # type: ignore[misc]


def _mounted(part: str, root: Path) -> str:
    """Return the folder of a version 1 hierarchy. Some systems mount two together."""
    return part if (root / part).is_dir() else "cpu,cpuacct"
