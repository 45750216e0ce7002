"""Commands where they were not built: another encoding, a closed terminal, a full disk, no home, no
locks, odd paths.
"""

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]
LOCKLESS = """
import errno, fcntl, sys
def flock(*_):
    raise OSError(errno.ENOSYS, "Function not implemented")
fcntl.flock = flock
from repro.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""A file system without flock, as some cluster mounts are: it cannot be had here otherwise."""
AUDIT = [sys.executable, "-m", "repro", "audit", "consolidated"]


def one_line(done: subprocess.CompletedProcess[str], words: str) -> None:
    """Exit code 2, and a single line that holds the words."""
    assert done.returncode == 2, done.stderr
    (line,) = done.stderr.splitlines()
    assert words in line


@pytest.mark.worker
@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii", "cp1252"])
def test_the_table_and_the_code_do_not_depend_on_the_encoding(encoding: str) -> None:
    """The printed numbers and verdicts are the same; only signs that cannot be written are others."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    done = subprocess.run(AUDIT, capture_output=True, env=environment, check=False)
    assert done.returncode == 1, done.stderr
    text = done.stdout.decode(encoding)
    assert "substantive" in text
    assert "same_value" in text
    assert "0.279 in consolidated Table 13" in text
    if encoding == "ascii":
        assert text.isascii()
        assert "S3.2" in text
    if encoding == "utf-8":
        assert "§3.2" in text


@pytest.mark.worker
def test_a_closed_output_changes_no_code() -> None:
    """Nobody listens; the verdict's code is the same."""
    done = subprocess.run(
        ["bash", "-c", '"$@" >&- 2>&-', "-", *AUDIT], capture_output=True, check=False
    )
    assert done.returncode == 1


@pytest.mark.worker
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_no_verdict() -> None:
    """Whatever the papers say, what cannot be written is exit code 2."""
    with open("/dev/full", "w") as full:
        done = subprocess.run(AUDIT, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    one_line(done, "standard output: No space left on device")


def terminal() -> tuple[int, int]:
    """Both ends of a pseudo-terminal, where this machine gives any (a bare chroot has no /dev/pts)."""
    try:
        return pty.openpty()
    except OSError as error:
        pytest.skip(f"needs a pseudo-terminal, and none can be opened here ({error})")


@pytest.mark.worker
def test_a_terminal_that_was_closed_is_no_verdict() -> None:
    """As for a pipe that nobody reads any more: 141."""
    ours, theirs = terminal()
    waiting = (
        "import sys; sys.stdin.readline(); from repro.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", waiting, *AUDIT[3:]],
        stdin=subprocess.PIPE,
        stdout=theirs,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    os.close(ours)
    _, said = process.communicate(b"\n")
    assert process.returncode == 141, said
    assert b"Traceback" not in said


def as_nobody(*command: str, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Run as a user that no list of users knows."""
    environment = {
        key: value for key, value in {**os.environ, **changes}.items() if value is not None
    }
    unshared = ["unshare", "--user", "--map-user=4242", sys.executable, "-m", "repro", *command]
    return subprocess.run(unshared, capture_output=True, text=True, env=environment, check=False)


def _unshares() -> bool:
    tried = [*["unshare", "--user", "--map-user=4242", "true"]]
    return (
        bool(shutil.which("unshare"))
        and subprocess.run(tried, capture_output=True, check=False).returncode == 0
    )


@pytest.mark.worker
@pytest.mark.skipif(not _unshares(), reason="user namespaces cannot be made here")
def test_without_a_home_what_needs_a_cache_says_so_and_the_rest_works(tmp_path: Path) -> None:
    """`doctor` names REPRO_CACHE; `audit` needs none; with REPRO_CACHE all is well."""
    away = {"HOME": None, "REPRO_CACHE": None, "REPRO_RESULTS": str(tmp_path / "results")}
    one_line(as_nobody("doctor", **away), "set REPRO_CACHE")
    assert as_nobody("audit", "example", **away).returncode == 0
    assert as_nobody("clean", **{**away, "REPRO_CACHE": "/nowhere/at/all"}).returncode in (0, 2)


@pytest.mark.worker
@pytest.mark.skipif(not _unshares(), reason="user namespaces cannot be made here")
def test_verdicts_need_no_home_that_can_be_written(tmp_path: Path) -> None:
    """A read-only home, and none: the same verdicts as with a cache."""
    home = tmp_path / "home"
    home.mkdir(mode=0o555)
    given = {"REPRO_CACHE": None, "REPRO_RESULTS": str(tmp_path / "results")}
    for changed in ({"HOME": str(home)}, {"HOME": None}):
        done = as_nobody("verify", "smoke", **given, **changed)
        assert (done.returncode, "not run" in done.stdout) == (3, True), done.stderr
    assert list(home.iterdir()) == []


def test_a_file_system_without_locks_is_named(tmp_path: Path) -> None:
    """Before anything is written."""
    results = tmp_path / "results"
    results.mkdir()
    command = [sys.executable, "-c", LOCKLESS, "ingest", "--results", str(results)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    one_line(done, f"{results}: its file system cannot lock files (Function not implemented)")
    assert "REPRO_RESULTS" in done.stderr
    assert not (results / "repro.duckdb").exists()


def test_a_path_that_is_no_text_is_named(repro: Command) -> None:
    """A byte that is not UTF-8 in it: DuckDB could not open it."""
    one_line(
        repro("ingest", "--results", b"/tmp/caf\xe9"),
        r"/tmp/caf\udce9: --results is no text in UTF-8",
    )  # type: ignore[arg-type]
    one_line(repro("plan", "x" * 5000), "no such manifest")
