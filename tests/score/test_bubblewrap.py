"""What bubblewrap is asked for, seen by a stand-in that says how it was called.

Boxes that it really makes are tried by hostile candidates, where it is installed.
"""

import json
import os
from pathlib import Path

import pytest

from repro.errors import SetupError
from repro.score.box import LONGEST_LIFE, OPEN_FILES, SCRATCH, ExhaustedError
from repro.score.bubblewrap import Bubblewrap, find_bubblewrap
from repro.score.cgroups import Group


class Kept(Group):
    """A control group of plain files; whether it was removed is in a file beside them."""

    def remove(self) -> None:
        (self.parts["unified"] / "removed").touch()


@pytest.fixture
def group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the next box's group; the filter of its calls is three bytes."""
    folder = tmp_path / "group"
    folder.mkdir()
    (folder / "cpu.stat").write_text("usage_usec 2500000\n")
    (folder / "memory.events").write_text("oom 1\noom_kill 1\n")
    monkeypatch.setattr("repro.score.bubblewrap.make_group", lambda *_: Kept({"unified": folder}))
    monkeypatch.setattr("repro.score.bubblewrap.program", lambda: b"bpf")
    return folder


def said(tmp_path: Path, script: str) -> str:
    """What a stand-in printed, with its box closed afterwards."""
    (tmp_path / "bwrap").write_text(f"#!/bin/bash\n{script}\n")
    (tmp_path / "bwrap").chmod(0o755)
    box = Bubblewrap(str(tmp_path / "bwrap")).open()
    found = b""
    while part := box.read(60):
        found += part
    assert box.processor_seconds() == 2.5
    assert box.out_of_memory() == "limit"
    box.close()
    return found.decode()


def test_a_box_has_no_network_no_root_to_write_to_and_no_variables(
    tmp_path: Path, group: Path
) -> None:
    words = said(tmp_path, 'printf "%s\\0" "$@"').split("\0")[:-1]
    for option in ("--unshare-net", "--unshare-pid", "--unshare-ipc", "--die-with-parent",
                   "--new-session", "--clearenv"):  # fmt: skip
        assert option in words
    joined = "\0".join(words)
    assert "\0--cap-drop\0ALL\0" in joined
    assert "\0--remount-ro\0/\0" in joined
    assert f"\0--size\0{SCRATCH}\0--tmpfs\0/tmp\0" in joined
    assert "\0--bind\0" not in joined, "nothing of the host can be written"
    seen = {words[at + 1] for at, word in enumerate(words) if word == "--ro-bind"}
    assert str(Path.home()) not in seen
    assert not any(str(tmp_path).startswith(folder) for folder in seen)
    given = json.loads(words[-1])
    root = os.getuid() == 0
    assert (given["user"], given["alone"]) == (10001 if root else None, True)
    assert ("--unshare-user" in words) is not root
    assert (group / "removed").exists()


def test_the_filter_and_the_limits_are_there_before_it_starts(tmp_path: Path, group: Path) -> None:
    """And it is in its control group, so that all it starts is counted."""
    script = (
        'while [ "$1" != --seccomp ]; do shift; done\n'
        'cat <&"$2"; echo " $(ulimit -n) $(ulimit -t) $(ulimit -c) $$"; env -i /usr/bin/env'
    )
    found = said(tmp_path, script).split()
    assert found[:4] == ["bpf", str(OPEN_FILES), str(LONGEST_LIFE), "0"]
    assert (group / "cgroup.procs").read_text().split() == [found[4]]


def test_a_program_that_is_gone_is_no_score_and_leaves_no_group(
    tmp_path: Path, group: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("repro.score.bubblewrap.subprocess.Popen", refuse)
    with pytest.raises(ExhaustedError, match=r"could not be started \(Resource temporarily unav"):
        Bubblewrap(str(tmp_path / "bwrap")).open()
    assert (group / "removed").exists()


def test_without_the_program_the_way_to_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"^bubblewrap: found no program bwrap; install it"):
        find_bubblewrap()
    (tmp_path / "bwrap").write_text("#!/bin/sh\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setattr("repro.score.bubblewrap.program", lambda: b"")
    assert find_bubblewrap() == Bubblewrap(str(tmp_path / "bwrap"))
