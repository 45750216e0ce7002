"""Which sandbox is taken: the one asked for, else the first that works, else none at all."""

from pathlib import Path

import pytest

from repro.errors import SetupError
from repro.score.sandbox import choose


@pytest.fixture(autouse=True)
def nothing_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without an engine and without bubblewrap."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "bin").mkdir()


def test_without_a_box_code_is_run_only_where_that_was_asked_for(tmp_path: Path) -> None:
    assert choose("none", tmp_path).kind == "none"
    with pytest.raises(
        SetupError,
        match=r"^no sandbox for code that a model wrote: container engine at unix://.* / "
        r"bubblewrap: found no program bwrap; .* / or, .* --sandbox none$",
    ):
        choose("auto", tmp_path)


def test_a_sandbox_that_is_asked_for_is_not_replaced(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"^container engine at unix://"):
        choose("docker", tmp_path)
    with pytest.raises(SetupError, match=r"^bubblewrap: found no program bwrap; install it"):
        choose("bubblewrap", tmp_path)


def test_a_program_that_makes_no_box_is_no_sandbox(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that ends at once, and one that is open as seen from inside."""
    from repro.score.cgroups import Group

    (tmp_path / "group").mkdir()
    for name, text in (("cgroup.procs", ""), ("cpu.stat", "usage_usec 1\n")):
        (tmp_path / "group" / name).write_text(text)
    monkeypatch.setattr("repro.score.bubblewrap.make_group", lambda *_: Left(tmp_path / "group"))
    monkeypatch.setattr("repro.score.bubblewrap.program", lambda: b"")

    class Left(Group):
        """A group of plain files, which stay."""

        def __init__(self, path: Path) -> None:
            super().__init__({"unified": path})

        def remove(self) -> None: ...

    program = tmp_path / "bin" / "bwrap"
    program.write_text("#!/bin/sh\nexit 1\n")
    program.chmod(0o755)
    with pytest.raises(
        SetupError, match=r"^sandbox bubblewrap: .* \(the box ended before it was ready\); try"
    ):
        choose("bubblewrap", tmp_path)
    program.write_text(
        '#!/bin/sh\nwhile [ "$1" != --seccomp ]; do shift; done\nshift 2\nexec "$@"\n'
    )
    with pytest.raises(SetupError, match=r"^sandbox: the box .*has no filter of system calls"):
        choose("bubblewrap", tmp_path)
