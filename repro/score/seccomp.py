"""Build the system-call filter for boxes without a container engine.

It refuses Docker's list of calls that no ordinary program needs. It is built with libseccomp, which
knows the call numbers of every processor. A refused call fails with "not permitted".
"""

import ctypes
import errno
import os
from functools import cache
from tempfile import TemporaryFile
from typing import Any

from repro.errors import SetupError

LIBRARY = "libseccomp.so.2"
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
REFUSED = (
    "acct", "add_key", "bpf", "chroot", "clock_adjtime", "clock_settime", "create_module",
    "delete_module", "fanotify_init", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
    "get_mempolicy", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup",
    "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl", "lookup_dcookie", "mbind",
    "migrate_pages", "mount", "mount_setattr", "move_mount", "move_pages", "name_to_handle_at",
    "nfsservctl", "open_by_handle_at", "open_tree", "perf_event_open", "personality", "pivot_root",
    "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace", "query_module",
    "quotactl", "quotactl_fd", "reboot", "request_key", "set_mempolicy", "setdomainname",
    "sethostname", "setns", "settimeofday", "stime", "swapoff", "swapon", "syslog", "umount",
    "umount2", "unshare", "uselib", "userfaultfd", "ustat", "vhangup", "vm86", "vm86old",
)  # fmt: skip
NAMESPACES = 0x7E020080
"""Flags of clone() for a new namespace of any kind."""
MASKED_EQUAL = 7


class _Argument(ctypes.Structure):
    """struct scmp_arg_cmp."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("datum_a", ctypes.c_uint64),
        ("datum_b", ctypes.c_uint64),
    )


@cache
def program() -> bytes:
    """Return the filter in the kernel's format.

    Raises SetupError where libseccomp is missing or fails.
    """
    library = _library()
    context = ctypes.c_void_p(library.seccomp_init(ALLOW))
    try:
        for name in REFUSED:
            _refuse(library, context, name, errno.EPERM)
        # Its flags lie in memory, where no filter sees them.
        _refuse(library, context, "clone3", errno.ENOSYS)
        for flag in (1 << bit for bit in range(32) if NAMESPACES >> bit & 1):
            _refuse(library, context, "clone", errno.EPERM, _Argument(0, MASKED_EQUAL, flag, flag))
        with TemporaryFile() as file:
            if library.seccomp_export_bpf(context, file.fileno()):
                raise SetupError(f"{LIBRARY}: could not write the filter of system calls")
            return os.pread(file.fileno(), 1 << 20, 0)
    finally:
        library.seccomp_release(context)


def _library() -> Any:
    """Return libseccomp. Raises SetupError."""
    try:
        library = ctypes.CDLL(LIBRARY)
    except OSError as error:
        raise SetupError(f"{LIBRARY}: cannot be loaded ({error}); install libseccomp2") from error
    library.seccomp_init.restype = ctypes.c_void_p
    return library


def _refuse(library: Any, context: Any, name: str, code: int, *arguments: _Argument) -> None:
    """Refuse one call. A kernel or processor that does not have it needs no rule."""
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number < 0:
        return
    given = (_Argument * len(arguments))(*arguments)
    if library.seccomp_rule_add_array(
        context, ctypes.c_uint32(ERRNO | code), number, len(arguments), given
    ):
        raise SetupError(f"{LIBRARY}: could not refuse {name}")
