"""Two hosts on one folder whose locks do not reach from one to the other: never both at work.

A host is a process here, and a lock that always succeeds is one that reaches nobody.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from repro.evidence.hosts import is_shared

HOST = """
import fcntl, signal, sys
from pathlib import Path
from repro.errors import SetupError
from repro.evidence import hosts, lock

folder, host, shared = Path(sys.argv[1]), sys.argv[2], sys.argv[3] == "shared"
fcntl.flock = lambda *_: None
hosts.BEAT = 1.0
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell has it in its background
hosts.this_host = lambda: host
lock.is_shared = lambda _: shared
print("up", flush=True)
sys.stdin.readline()
try:
    with lock.exclusive(folder, "run"):
        print("in", flush=True)
        sys.stdin.readline()
except SetupError as error:
    print(error, flush=True)
else:
    print("out", flush=True)
"""
Host = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Start a host that takes the folder's lock when it is told, and holds it until told again."""
    started: list[subprocess.Popen[str]] = []

    def start(name: str, kind: str = "shared") -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [sys.executable, "-c", HOST, str(tmp_path), name, kind],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        assert says(process) == "up"
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


def says(process: "subprocess.Popen[str]") -> str:
    """Return the next line of a host."""
    assert process.stdout is not None
    return process.stdout.readline().strip()


def go(*processes: "subprocess.Popen[str]") -> None:
    """Tell hosts to go on."""
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()


@pytest.mark.worker
def test_a_second_host_is_refused_while_the_first_lives_and_let_in_after(host: Host) -> None:
    one, other = host("one"), host("other")
    go(one)
    assert says(one) == "in"
    go(other)
    assert "at work here (run) on another host, and locks of this file system" in says(other)
    go(one)
    assert says(one) == "out"
    third = host("third")
    go(third)
    assert says(third) == "in"


def test_without_signs_of_life_both_would_be_in(host: Host) -> None:
    """The positive control: what the same locks allow where other hosts are not thought of."""
    one, other = host("one", "local"), host("other", "local")
    go(one, other)
    assert {says(one), says(other)} == {"in"}


def test_of_two_at_the_same_moment_one_is_in(host: Host) -> None:
    one, other = host("one"), host("other")
    go(one, other)
    assert sorted(word == "in" for word in (says(one), says(other))) == [False, True]


@pytest.mark.worker
def test_a_host_that_died_is_followed(host: Host) -> None:
    one, other = host("one"), host("other")
    go(one)
    assert says(one) == "in"
    one.kill()
    go(other)
    assert says(other) == "in"


@pytest.mark.worker
def test_a_host_that_stood_still_and_was_replaced_ends(host: Host) -> None:
    one, other = host("one"), host("other")
    go(one)
    assert says(one) == "in"
    os.kill(one.pid, signal.SIGSTOP)
    go(other)
    assert says(other) == "in"
    os.kill(one.pid, signal.SIGCONT)
    assert "another host took this folder over while this process stood still" in says(one)
    assert one.wait(30) == -signal.SIGTERM


@pytest.mark.worker
@pytest.mark.parametrize("content", [b" \n", b"\xff\xfe", b"x" * 10_000, None])
def test_what_no_host_wrote_is_silent_or_one_line(
    host: Host, tmp_path: Path, content: bytes | None
) -> None:
    if content is None:
        (tmp_path / ".run.host").mkdir()
    else:
        (tmp_path / ".run.host").write_bytes(content)
    one = host("one")
    go(one)
    assert (says(one) == "in") == (content is not None)


MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/root rw
40 22 0:40 / /home rw,relatime shared:2 - nfs4 server:/home rw,vers=4.2,local_lock=none
41 40 0:41 / /home/a\040b rw - tmpfs none rw
42 22 0:42 / /mnt/far rw,nosuid - fuse.sshfs far:/ rw,user_id=0
"""


@pytest.mark.parametrize(
    ("place", "shared"),
    [
        ("/srv/results", False),
        ("/home/someone/results", True),
        ("/home/a b/results", False),
        ("/homes/results", False),
        ("/mnt/far/é", True),
    ],
)
def test_which_folders_other_hosts_may_write_to(place: str, shared: bool) -> None:
    assert is_shared(Path(place), MOUNTS) == shared
    assert not is_shared(Path(place), "")
