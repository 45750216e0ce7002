"""Observe a worker's isolation from inside.

What the runner asked for is a claim; this is a measurement.
"""

import os
import socket
from pathlib import Path
from typing import Any

NOWHERE = ((socket.AF_INET, "192.0.2.1"), (socket.AF_INET6, "2001:db8::1"))
"""Addresses that no machine has (RFC 5737, RFC 3849). Looking up a route to them sends nothing."""
LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
# bytes: the kernel writes "no limit" as a number near 2**63 in the older hierarchy
UNLIMITED = 1 << 60


def isolation() -> dict[str, Any]:
    """Return network, root file system, user and privileges of this process."""
    status = _status()
    return {
        "network": "routed" if any(_routed(*address) for address in NOWHERE) else "none",
        "root": "read-only" if os.statvfs("/").f_flag & os.ST_RDONLY else "writable",
        "user": os.getuid(),
        "capabilities": status.get("CapEff", "unknown"),
        "no_new_privileges": status.get("NoNewPrivs", "unknown"),
        "seccomp": status.get("Seccomp", "unknown"),
        "memory_limit": _memory_limit(),
        "hub_offline": os.environ.get("HF_HUB_OFFLINE", "unset"),
    }


def _routed(family: int, address: str) -> bool:
    """Return whether this process has a route to an address."""
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((address, 9))
    except OSError:
        return False
    return True


def _status() -> dict[str, str]:
    """Return the kernel's record of this process; empty where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _memory_limit() -> int | str:
    """Return the bytes this control group may use, or "none"."""
    given = [
        int(text)
        for path in LIMITS
        if path.exists() and (text := path.read_text(encoding="utf-8").strip()).isdigit()
    ]
    return min((limit for limit in given if limit < UNLIMITED), default="none")
