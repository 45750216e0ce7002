"""Every command where it was not built: closed output, a terminal that is gone, another encoding,
no home, another user.

Each gives the table and the code that it gives at home, or one line and 2.
"""

import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import repro

pytestmark = pytest.mark.worker
REPRO = [sys.executable, "-m", "repro"]
COMMANDS = {
    "plan": ["plan", "smoke"],
    "plan json": ["plan", "smoke", "--json"],
    "fetch": ["fetch", "smoke"],
    "run": ["run", "nothing_of_this_name"],
    "status": ["status"],
    "images": ["images", "cpu"],
    "ingest": ["ingest"],
    "sql": ["sql", "SELECT 'λ → ½' AS sign"],
    "verify": ["verify", "smoke"],
    "verify json": ["verify", "smoke", "--json"],
    "diff": ["diff", "results", "results"],
    "explain": ["explain", "no/such/claim"],
    "audit": ["audit", "example"],
    "measure": ["measure", "--activations", "activations.npz", "--labels", "labels.csv", "--quick"],
    "entropy": ["entropy", "--matrix", "matrix.npy"],
    "probes": ["probes", "check", "factorial_48"],
    "doctor": ["doctor"],
    "clean": ["clean"],
    "report": ["report", "--out", "report.html"],
    "schema": ["schema", "policy"],
    "draft": ["claims", "draft", "table.md"],
    "help": ["--help"],
}
UNKNOWN_USER = ["unshare", "--user", "--map-user=4242"]
CHANGING = r"\d+(\.\d+)?( [kMGT]i?B| s| GiB| GB)?|[─━ ]+"
"""Sizes, times, and the widths that follow from them."""


def _unshares() -> bool:
    tried = [*UNKNOWN_USER, "true"]
    return (
        bool(shutil.which("unshare"))
        and subprocess.run(tried, capture_output=True, check=False).returncode == 0
    )


another_user = pytest.mark.skipif(not _unshares(), reason="user namespaces cannot be made here")


@pytest.fixture(scope="module")
def where(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that all commands are given in."""
    return tmp_path_factory.mktemp("where")


@pytest.fixture(scope="module")
def place(where: Path, cache: Path) -> dict[str, str]:
    """The surroundings of a command at home: a cache, an empty store, activations, no container
    engine.
    """
    random = np.random.default_rng(0)
    np.savez(where / "activations.npz", activations=random.normal(size=(24, 16)))
    np.save(where / "matrix.npy", random.normal(size=(12, 16)))
    rows = [f"{'abc'[row // 8]},{'xy'[row % 2]}" for row in range(24)]
    (where / "labels.csv").write_text("\n".join(["domain,register", *rows]) + "\n")
    (where / "table.md").write_text("| set | accuracy |\n|---|---|\n| a | 0.81 |\n")
    given = {
        "REPRO_CACHE": str(cache),
        "REPRO_RESULTS": str(where / "results"),
        "DOCKER_HOST": f"unix://{where}/none.sock",
    }
    at_home = {**os.environ, **given}
    # so that no command is the first to find the cache cold
    for command in (["ingest"], ["fetch", "smoke"]):
        done = subprocess.run(
            [*REPRO, *command], env=at_home, cwd=where, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr
    return at_home


CONTROLS: dict[str, subprocess.CompletedProcess[str]] = {}


def at_home(name: str, place: dict[str, str], where: Path) -> subprocess.CompletedProcess[str]:
    """The control: how a command ends, and what it prints, where nothing is odd. Asked once."""
    if name not in CONTROLS:
        CONTROLS[name] = _asked(COMMANDS[name], place, where)
    return CONTROLS[name]


def _asked(
    command: list[str], place: dict[str, str], where: Path
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*REPRO, *command], env=place, cwd=where, capture_output=True, text=True, check=False
    )


def as_good(
    done: subprocess.CompletedProcess[str], control: subprocess.CompletedProcess[str]
) -> None:
    """The same code and words, or one line and 2."""
    if done.returncode == 2 and control.returncode != 2:
        (line,) = done.stderr.splitlines()
        assert line.startswith("repro "), line
        return
    assert done.returncode == control.returncode, done.stderr
    assert "Traceback" not in done.stderr
    assert words(done.stdout) == words(control.stdout)


def words(text: str) -> str:
    """What is said, without what differs from one call to the next."""
    return " ".join(re.sub(CHANGING, " ", text).split())


@pytest.mark.parametrize("name", COMMANDS)
def test_a_closed_output_changes_no_code(name: str, place: dict[str, str], where: Path) -> None:
    control = at_home(name, place, where)
    closed = ["bash", "-c", '"$@" >&- 2>&-', "-", *REPRO, *COMMANDS[name]]
    assert (
        subprocess.run(closed, env=place, cwd=where, check=False).returncode == control.returncode
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_terminal_that_is_gone_is_no_verdict(
    name: str, place: dict[str, str], where: Path
) -> None:
    """As for a pipe that nobody reads any more, where there was something to print: 141."""
    control = at_home(name, place, where)
    try:
        ours, theirs = pty.openpty()
    except OSError as error:
        pytest.skip(f"needs a pseudo-terminal, and none can be opened here ({error})")
    waiting = (
        "import sys; sys.stdin.readline(); from repro.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", waiting, *COMMANDS[name]]
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        command, env=place, cwd=where, stdin=pipe, stdout=theirs, stderr=pipe, text=True
    )
    os.close(theirs)
    os.close(ours)
    _, said = process.communicate("\n")
    # argparse itself passes over what it cannot write
    silent = not control.stdout or name == "help"
    assert process.returncode in ({control.returncode, 141} if silent else {141}), said
    assert "Traceback" not in said


ODD = {"LC_ALL": "C", "PYTHONIOENCODING": "ascii", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
"""A locale without UTF-8."""


def test_a_path_that_the_locale_cannot_spell_is_one_line(
    place: dict[str, str], tmp_path: Path
) -> None:
    """Compiled packages cannot be loaded from there, whatever repro does; with UTF-8 they can."""
    folder = tmp_path / "é"
    folder.symlink_to(Path(repro.__file__).parents[1])
    command = [sys.executable, "-m", "repro", "plan", "smoke"]
    done, control = (
        subprocess.run(
            command,
            env={**place, **locale, "PYTHONPATH": str(folder)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        for locale in (ODD, {"PYTHONUTF8": "1"})
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert "PYTHONUTF8=1" in done.stderr
    assert control.returncode == 0, control.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_another_encoding_changes_signs_alone(
    name: str, place: dict[str, str], where: Path
) -> None:
    """In a locale without UTF-8, which names of files and what is read are in too."""
    control = at_home(name, place, where)
    environment = {**place, **ODD}
    done = subprocess.run(
        [*REPRO, *COMMANDS[name]],
        env=environment,
        cwd=where,
        capture_output=True,
        encoding="ascii",
        check=False,
    )
    assert "Traceback" not in done.stderr
    if (
        name != "help" and not f"{__file__}{sys.prefix}".isascii()
    ):  # the next test's case: this very checkout lies there
        assert (done.returncode, "PYTHONUTF8=1" in done.stderr) == (2, True), done.stderr
        return
    assert done.returncode == control.returncode, done.stderr
    letters = "".join(re.findall(r"[A-Za-z]+", done.stdout))
    assert len(letters) >= 0.95 * len("".join(re.findall(r"[A-Za-z]+", control.stdout)))


@another_user
@pytest.mark.parametrize("name", COMMANDS)
def test_without_a_home(name: str, place: dict[str, str], where: Path) -> None:
    """And as a user whom no list of users knows."""
    away = {
        key: value
        for key, value in place.items()
        if key not in ("HOME", "REPRO_CACHE", "XDG_CACHE_HOME")
    }
    command = [*UNKNOWN_USER, *REPRO, *COMMANDS[name]]
    done = subprocess.run(command, env=away, cwd=where, capture_output=True, text=True, check=False)
    as_good(done, at_home(name, place, where))


@another_user
@pytest.mark.parametrize("name", COMMANDS)
def test_as_another_user(name: str, place: dict[str, str], where: Path) -> None:
    """One who may read everything and write nowhere but in results of their own."""
    control = at_home(name, place, where)
    home = where / "home"
    home.mkdir(mode=0o555, exist_ok=True)
    command = [*UNKNOWN_USER, *REPRO, *COMMANDS[name]]
    given = {**place, "HOME": str(home)}
    as_good(
        subprocess.run(command, env=given, cwd=where, capture_output=True, text=True, check=False),
        control,
    )
