"""Work in a process of its own, with limits of time and memory that hold whatever the work does.

A database answers an interrupt when it gets round to it, and its memory limit leaves out what
functions allocate. The operating system's limits hold always: the process is killed when its time
is up, and refused memory beyond its share.
"""

import os
import resource
import select
import signal
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn

from repro.errors import InputError
from repro.files import GIB

Answer = Callable[[], int]
"""Prints what the work found; its exit code."""
_LESS = "ask for less (a WHERE, a LIMIT)"


def run_limited(work: Callable[[], Answer], seconds: float, gibibytes: float) -> int:
    """Do `work` apart, then let it print its answer; return the exit code.

    The time ends when the work does, not the printing. Raises InputError when a limit is reached;
    KeyboardInterrupt ends the work at once.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(told)
        _apart(work, tell, gibibytes)
    os.close(tell)
    try:
        ready, _, _ = select.select([told], [], [], seconds)
        if not ready:
            raise InputError(
                f"stopped: no answer after {seconds:g} s; {_LESS}, or give more time (--timeout S)"
            )
        status = os.waitpid(child, 0)[1]
        child = 0
    finally:
        os.close(told)
        if child:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code in (-signal.SIGKILL, -signal.SIGABRT, -signal.SIGSEGV, -signal.SIGBUS):
        raise InputError(
            f"stopped: it probably needed more than {gibibytes:.1f} GiB of memory; {_LESS}"
        )
    return 128 - code if code < 0 else code


def _apart(work: Callable[[], Answer], tell: int, gibibytes: float) -> NoReturn:
    """Do the work in the other process, say that it is done, print, and end whatever happens."""
    from repro.cli import ending

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the first process hears it and ends this one
    code = 2
    try:
        _limit_memory(gibibytes)

        def both() -> int:
            answer = work()
            os.write(tell, b"1")
            return answer()

        code = ending("sql", both)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _limit_memory(gibibytes: float) -> None:
    """Allow no more address space than there is now and `gibibytes` on top.

    Only Linux tells how much there is now; elsewhere nothing is limited.
    """
    if not os.path.exists("/proc/self/statm"):
        return
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    limit = now + int(gibibytes * GIB)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
