"""The filter of system calls, as the kernel applies it to a process of its own."""

import json
import platform
import subprocess
import sys
import textwrap
from typing import Any

import pytest

from repro.errors import SetupError
from repro.score.seccomp import program

NUMBERS = {
    "x86_64": {"unshare": 272, "mount": 165, "ptrace": 101, "chroot": 161, "keyctl": 250,
               "clone": 56, "clone3": 435, "getpid": 39},
    "aarch64": {"unshare": 97, "mount": 40, "ptrace": 117, "chroot": 51, "keyctl": 219,
                "clone": 220, "clone3": 435, "getpid": 172},
}  # fmt: skip
EPERM, ENOSYS = 1, 38
NEW_USER = 0x10000000
TRY = textwrap.dedent("""
    import ctypes, json, sys
    class Program(ctypes.Structure):
        _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_char_p))
    libc = ctypes.CDLL(None, use_errno=True)
    rules, calls = bytes.fromhex(sys.argv[1]), json.loads(sys.argv[2])
    if rules:
        given = Program(len(rules) // 8, rules)
        assert libc.prctl(38, 1, 0, 0, 0) == 0
        assert libc.prctl(22, 2, ctypes.byref(given)) == 0
    found = {}
    for name, arguments in calls:
        ctypes.set_errno(0)
        libc.syscall(*arguments)
        found[name] = ctypes.get_errno()
    print(json.dumps(found))
""")
"""Takes on the filter, makes each call with arguments that do nothing, and says how it failed."""


@pytest.fixture(scope="module")
def rules() -> bytes:
    """The filter, where this machine can make one."""
    if platform.machine() not in NUMBERS:
        pytest.skip(f"the numbers of calls of {platform.machine()} are not written down here")
    try:
        return program()
    except SetupError as error:
        pytest.skip(str(error))


def errors(rules: bytes, *calls: tuple[str, list[int]]) -> dict[str, int]:
    """The error of each call under the filter; 0 for one that succeeds."""
    numbers = NUMBERS[platform.machine()]
    given: list[Any] = [[name, [numbers[name], *arguments]] for name, arguments in calls]
    command = [sys.executable, "-c", TRY, rules.hex(), json.dumps(given)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found: dict[str, int] = json.loads(done.stdout)
    return found


def test_a_refused_call_is_not_permitted_and_an_ordinary_one_is(rules: bytes) -> None:
    """The control is the same call without the filter: other errors, or none."""
    calls = [("unshare", [0]), ("ptrace", [99, 0, 0, 0]), ("keyctl", [99, 0]), ("getpid", [])]
    under = errors(rules, *calls)
    assert under == {"unshare": EPERM, "ptrace": EPERM, "keyctl": EPERM, "getpid": 0}
    assert errors(b"", calls[0], calls[3]) == {"unshare": 0, "getpid": 0}


def test_a_process_is_made_in_no_namespace_of_its_own(rules: bytes) -> None:
    """The flags of one call lie in memory, where no filter sees them: libraries then ask for the
    other one.
    """
    assert errors(rules, ("clone", [NEW_USER, 0, 0, 0, 0])) == {"clone": EPERM}
    assert errors(rules, ("clone3", [0, 0])) == {"clone3": ENOSYS}
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', '']).check_returncode()"
    filtered = TRY.replace("found = {}", f"exec({code!r})\nfound = {{}}")
    command = [sys.executable, "-c", filtered, rules.hex(), "[]"]
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_without_the_library_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("repro.score.seccomp.LIBRARY", "libnone.so.9")
    with pytest.raises(
        SetupError, match=r"^libnone\.so\.9: cannot be loaded .*install libseccomp2"
    ):
        program.__wrapped__()
