"""Run one candidate inside the box: the program comes in, plain data goes out.

The host trusts nothing here. This module is sent to the box as text, so it imports nothing of ours
and needs only the standard library. The candidate can overwrite all of it; then it can say what its
outputs are, which a candidate may do anyway. No expected answer ever comes in.

Frames on standard output: length (4 bytes), kind, set, input (4 bytes), CPU seconds so far
(double), payload. Kinds:
    R  ready, with the facts of the box as seen from inside
    L  the candidate's code was run
    V  one output, encoded
    E  the code or a call raised (type of the error)
    D  the set's process ended (its wait status)
    Z  no process or no folder could be made
"""

import base64
import json
import os
import resource
import socket
import struct
import sys
import tempfile
import time
from array import array
from collections.abc import Callable
from typing import Any

HEAD = struct.Struct(">IcBId")
PACK_FROM = 16
"""Lists with at least this many floats are sent as bytes instead of digits."""
LARGEST_NUMBER = 1 << 53
FIRST = 3
"""In a namespace of its own the box's process has a number up to this; a larger one means that
others are not ours to end.
"""
GUARDED = (
    "kill", "system", "putenv", "remove", "removedirs", "rmdir", "fchdir", "setuid", "fork",
    "forkpty", "killpg", "rename", "renames", "truncate", "replace", "unlink", "fchmod", "fchown",
    "chmod", "chown", "chroot", "lchflags", "lchmod", "lchown", "getcwd", "chdir",
)  # fmt: skip
"""Names that EvalPlus removes from `os`, so that a candidate finds the same here.

They protect nothing; the box does.
"""


def main() -> None:
    """Report what the box is, read the program, and run it on each set of inputs in a process
    of its own.
    """
    given = json.loads(sys.argv[1])
    if given["user"] is not None:
        os.setgroups([])
        os.setresgid(given["user"], given["user"], given["user"])
        os.setresuid(given["user"], given["user"], given["user"])
    sys.path += _packages(given["packages"])
    _send(1, b"R", 0, 0, json.dumps(facts()).encode())
    size = int.from_bytes(_read(8), "big")
    program = json.loads(_read(size))
    if any("numpy" in work["code"] for work in program["sets"]):
        _import_numpy()
    for number, work in enumerate(program["sets"]):
        try:
            child = os.fork()
            if child == 0:
                _run(work, number, program["memory"])
            _, status = os.waitpid(child, 0)
        except OSError as error:
            _send(1, b"Z", number, 0, str(error).encode())
            return
        _send(1, b"D", number, 0, str(status).encode())
        if given["alone"] and os.getpid() <= FIRST:
            _end_the_rest()


def _import_numpy() -> None:
    """Import NumPy before `open` is taken away, as EvalPlus does."""
    try:
        import numpy  # noqa: F401
    except ImportError:
        return


def _packages(folders: list[str]) -> list[str]:
    """Return a folder with links to only these packages.

    None of their neighbours can be imported.
    """
    if not folders:
        return []
    path = tempfile.mkdtemp(prefix="packages-")
    for folder in folders:
        os.symlink(folder, os.path.join(path, os.path.basename(folder)))
    return [path]


def facts() -> dict[str, Any]:
    """Return how this process is confined, from the kernel."""
    with open("/proc/self/status") as file:
        status = {name: value.strip() for name, _, value in (line.partition(":") for line in file)}
    return {
        "user": os.getuid(),
        "capabilities": int(status["CapEff"], 16),
        "no_new_privileges": status["NoNewPrivs"] == "1",
        "seccomp": status["Seccomp"] == "2",
        "interfaces": sorted(name for _, name in socket.if_nameindex()),
        "root_read_only": bool(os.statvfs("/").f_flag & os.ST_RDONLY),
        "processes": sum(name.isdigit() for name in os.listdir("/proc")),
        "python": sys.version.split()[0],
    }


def _run(work: dict[str, Any], number: int, memory: int) -> None:
    """Run the candidate on one set of inputs, then end this process."""
    out, send, leave, encoded = os.dup(1), _send, os._exit, encode
    where = 0
    try:
        _shut(memory)
    except Exception as error:
        send(out, b"Z", number, 0, repr(error).encode())
        leave(0)
    try:
        space: dict[str, Any] = {}
        exec(work["code"], space)
        function = space[work["entry"]]
        send(out, b"L", number, 0, b"")
        for where, values in enumerate(work["inputs"]):
            send(out, b"V", number, where, encoded(function(*values)))
    except BaseException as error:
        send(out, b"E", number, where, type(error).__name__.encode("utf-8", "replace"))
    leave(0)


def _shut(memory: int) -> None:
    """Give the candidate a folder, no input and output, EvalPlus's memory limits, and
    EvalPlus's view of `os`.
    """
    os.chdir(tempfile.mkdtemp())
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(null, descriptor)
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_STACK):
        resource.setrlimit(limit, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _guard()


def _guard() -> None:
    """Remove what EvalPlus removes."""
    import builtins
    import shutil
    import subprocess

    os.environ["OMP_NUM_THREADS"] = "1"
    for module, names in (
        (os, GUARDED),
        (builtins, ("exit", "quit", "help", "open")),
        (shutil, ("rmtree", "move", "chown")),
        (subprocess, ("Popen",)),
    ):
        for name in names:
            setattr(module, name, None)
    sys.modules.update(dict.fromkeys(["ipdb", "joblib", "resource", "psutil", "tkinter"]))  # type: ignore[arg-type]


def _end_the_rest() -> None:
    """End what the set's process left behind: every other process of the box that this user may
    end.
    """
    try:
        os.kill(-1, 9)
    except OSError:
        return


def encode(value: object) -> bytes:
    """Write plain data as JSON text; anything else is only named."""
    try:
        return json.dumps(_plain(value), separators=(",", ":")).encode()
    except (RecursionError, ValueError, TypeError):
        return b'{"o":"unreadable"}'


def _plain(value: Any) -> Any:
    """Return a value in the form that JSON can hold."""
    kind = type(value)
    if value is None or kind is bool or kind is str or kind is float:
        return value
    if kind is int:
        return value if -LARGEST_NUMBER < value < LARGEST_NUMBER else {"i": hex(value)}
    if kind is list:
        if (
            len(value) >= PACK_FROM
            and set(map(type, value)) == {float}
            and all(map(_finite, value))
        ):
            return {"F": base64.b64encode(array("d", value).tobytes()).decode()}
        return [_plain(item) for item in value]
    if kind in CONTAINERS:
        return CONTAINERS[kind](value)
    return _unusual(value)


CONTAINERS: dict[type, Callable[[Any], Any]] = {
    tuple: lambda value: {"t": [_plain(item) for item in value]},
    dict: lambda value: {"d": [[_plain(key), _plain(item)] for key, item in value.items()]},
    set: lambda value: {"s": [_plain(item) for item in value]},
    frozenset: lambda value: {"z": [_plain(item) for item in value]},
    bytes: lambda value: {"b": value.hex()},
    complex: lambda value: {"c": [value.real, value.imag]},
}


def _unusual(value: Any) -> Any:
    """Return a value of a subclass as its base type, marked as such: it equals that, but has
    another type.
    """
    for kind in (int, float, str, list, *CONTAINERS):
        if isinstance(value, kind):
            return {"u": _plain(kind(value))}
    module = str(getattr(type(value), "__module__", ""))
    if module == "numpy" and getattr(value, "ndim", None) == 0:
        return {"u": _plain(value.item())}
    if module in ("fractions", "decimal", "_decimal"):
        return {"u": {"q": [hex(part) for part in value.as_integer_ratio()]}}
    return {"o": type(value).__name__[:80]}


def _finite(value: float) -> bool:
    """Return whether a float is finite."""
    return value - value == 0.0


def _send(out: int, kind: bytes, number: int, index: int, payload: bytes) -> None:
    """Write one frame."""
    frame = memoryview(HEAD.pack(len(payload), kind, number, index, time.process_time()) + payload)
    while frame:
        frame = frame[os.write(out, frame) :]


def _read(size: int) -> bytes:
    """Read this many bytes, or end this process."""
    parts = []
    while size:
        part = os.read(0, min(size, 1 << 20))
        if not part:
            os._exit(3)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


if __name__ == "__main__":
    main()
