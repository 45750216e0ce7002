"""Control groups of both versions: real ones where this machine has them, and files such as the
kernel writes.

A machine with both versions has memory and processes in version 1. There version 2 tells processor
time and members, and its limits are seen in files alone.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from repro.errors import SetupError
from repro.score.cgroups import ROOT, Group, _delegated, make_group

BURN = "import time\nwhile time.process_time() < 0.3: pass"
CHILD = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN!r}])\n{BURN}"
MEMORY = 64 << 20
"""Limit of a real group here."""


@pytest.fixture(params=["limited", "version 2"])
def real_group(request: pytest.FixtureRequest) -> Iterator[Group]:
    """A group made by the kernel: one as a box gets it, and one of version 2 however this machine
    mounts it.
    """
    name = f"repro-test-{os.getpid()}"
    if request.param == "limited":
        try:
            group = make_group(name, MEMORY, 16)
        except SetupError as error:
            pytest.skip(str(error))
    else:
        top = next(
            (top for top in (ROOT / "unified", ROOT) if (top / "cgroup.controllers").is_file()),
            None,
        )
        if top is None or not os.access(top, os.W_OK):
            pytest.skip(f"{ROOT}: no version 2 in which this user may make groups")
        group = Group({"unified": top / name})
        (top / name).mkdir()
    yield group
    group.remove()


def inside(group: Group, program: str) -> "subprocess.Popen[bytes]":
    """Start a Python program in a group."""
    command = ["sh", "-c", group.join_command() + 'exec "$@"', "sh", sys.executable, "-c", program]
    return subprocess.Popen(command, stdout=subprocess.PIPE)


def test_a_real_group_counts_the_time_of_children_that_have_ended(real_group: Group) -> None:
    assert real_group.processor_seconds() == 0
    with inside(real_group, CHILD) as process:
        process.wait()
    assert 0.6 <= real_group.processor_seconds() < 5


def test_a_real_group_ends_what_is_in_it_and_is_gone(real_group: Group) -> None:
    """Also what left its session; a process outside stays."""
    outside = subprocess.Popen(["sleep", "60"])
    sleeper = "import os, time\nif os.fork() == 0: os.setsid()\nprint(flush=True)\ntime.sleep(60)"
    process = inside(real_group, sleeper)
    assert process.stdout is not None
    process.stdout.readline(), process.stdout.readline()
    assert len(real_group.processes()) == 2
    real_group.remove()
    assert process.wait() == -9
    process.stdout.close()
    assert not any(path.exists() for path in real_group.parts.values())
    assert outside.poll() is None
    outside.kill()
    outside.wait()


@pytest.mark.parametrize("real_group", ["limited"], indirect=True)
def test_a_real_group_ends_what_needs_more_than_its_limit(real_group: Group) -> None:
    """Half of the limit is no reason; twice the limit is, and it is told as the limit's."""
    for share, code, told in ((0.5, 0, "no"), (2, -9, "limit")):
        with inside(real_group, f"len(b'x' * {int(share * MEMORY)})") as process:
            assert process.wait() == code
        assert real_group.out_of_memory() == told


def test_version_2_is_read_from_its_files(tmp_path: Path) -> None:
    """Processor time, and whether memory ended at the group's limit or the machine's."""
    group = Group({"unified": tmp_path})
    (tmp_path / "cpu.stat").write_text("usage_usec 1500000\nuser_usec 1\n")
    assert group.processor_seconds() == 1.5
    for events, found in (
        ("oom 0\noom_kill 0", "no"),
        ("oom 1\noom_kill 1", "limit"),
        ("oom 0\noom_kill 1", "machine"),
    ):
        (tmp_path / "memory.events").write_text(events)
        assert group.out_of_memory() == found


def test_version_1_is_read_from_its_files(tmp_path: Path) -> None:
    group = Group({"cpuacct": tmp_path, "memory": tmp_path, "pids": tmp_path})
    (tmp_path / "cpuacct.usage").write_text("2500000000\n")
    (tmp_path / "memory.limit_in_bytes").write_text(str(1 << 30))
    assert group.processor_seconds() == 2.5
    for killed, most, found in ((0, 1 << 30, "no"), (1, 1 << 30, "limit"), (1, 1 << 20, "machine")):
        (tmp_path / "memory.oom_control").write_text(f"oom_kill_disable 0\noom_kill {killed}\n")
        (tmp_path / "memory.max_usage_in_bytes").write_text(str(most))
        assert group.out_of_memory() == found


def test_a_group_is_made_where_memory_and_processes_are_handed_down(tmp_path: Path) -> None:
    """The nearest folder above that does both; none where only one is."""
    own = tmp_path / "user" / "app" / "shell"
    own.mkdir(parents=True)
    (tmp_path / "user" / "app" / "cgroup.subtree_control").write_text("memory")
    assert _delegated(own, tmp_path) is None
    (tmp_path / "user" / "cgroup.subtree_control").write_text("cpu memory pids")
    assert _delegated(own, tmp_path) == tmp_path / "user"


def test_without_control_groups_there_is_no_box(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="may make none"):
        make_group("repro-test", 1 << 30, 8, root=tmp_path)
