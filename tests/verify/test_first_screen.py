"""The first screen of a fresh clone: the truth, on forty lines, on every machine; and the documents
say the same.
"""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from repro.claims.papers import load_claims

ROOT = Path(__file__).resolve().parents[2]
BLOCKED = (
    "torch",
    "transformers",
    "peft",
    "bitsandbytes",
    "accelerate",
    "safetensors",
    "tokenizers",
    "datasets",
)
"""What a machine lacks that only reads."""


def environment(folder: Path, **more: str) -> dict[str, str]:
    """A fresh clone's: no cache, no results."""
    given = {
        "REPRO_CACHE": str(folder / "cache"),
        "REPRO_RESULTS": str(folder / "results"),
        "TERM": "dumb",
    }
    return {**os.environ, **given, **more}


def verify(folder: Path, *arguments: str, **more: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "repro", "verify", *arguments]
    return subprocess.run(
        command, capture_output=True, env=environment(folder, **more), cwd=folder, check=False
    )


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clone")


@pytest.fixture(scope="module")
def fresh(clone: Path) -> subprocess.CompletedProcess[bytes]:
    return verify(clone)


@pytest.fixture(scope="module")
def counts(clone: Path) -> dict[str, dict[str, int]]:
    found = json.loads(verify(clone, "--json").stdout)
    counted: dict[str, dict[str, int]] = found["counts"]
    return counted


def first_line(screen: bytes) -> str:
    return " ".join(screen.decode().split("\n\n")[0].split())


@pytest.mark.worker
def test_a_fresh_clone_has_measured_nothing_and_says_so_first(
    fresh: subprocess.CompletedProcess[bytes],
) -> None:
    assert fresh.stdout.startswith(b"0 of 1,413 empirical claims measured ")
    assert fresh.stderr == b"", "nothing is built, fetched or warned of"
    assert fresh.returncode == 1, "what fails by definition counts as contradicted"
    assert "reproduced" not in fresh.stdout.decode()
    assert len(fresh.stdout.splitlines()) <= 40


@pytest.mark.worker
def test_without_torch_it_is_the_same_byte_for_byte(
    fresh: subprocess.CompletedProcess[bytes], tmp_path: Path
) -> None:
    for name in BLOCKED:
        (tmp_path / f"{name}.py").write_text(f"raise ImportError('no {name} here')")
    probe = subprocess.run(
        [sys.executable, "-c", "import torch"], capture_output=True, check=False, env=environment(tmp_path, PYTHONPATH=str(tmp_path))
    )  # fmt: skip
    assert b"no torch here" in probe.stderr, "the control"
    without = verify(tmp_path, PYTHONPATH=str(tmp_path))
    assert (without.stdout, without.stderr, without.returncode) == (
        fresh.stdout,
        b"",
        fresh.returncode,
    )


def terminal() -> tuple[int, int]:
    """Both ends of a pseudo-terminal, where this machine gives any (a bare chroot has no /dev/pts)."""
    try:
        return pty.openpty()
    except OSError as error:
        pytest.skip(f"needs a pseudo-terminal, and none can be opened here ({error})")


@pytest.mark.worker
def test_it_fits_a_terminal_of_80_columns_and_40_lines(tmp_path: Path) -> None:
    leader, follower = terminal()
    code = (
        "import fcntl, struct, sys, termios; fcntl.ioctl(1, termios.TIOCSWINSZ, "
        "struct.pack('HHHH', 40, 80, 0, 0)); "
    )
    code += "from repro.cli import main; sys.exit(main(['verify']))"
    given = environment(tmp_path)
    given.pop("COLUMNS", None)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=follower, stderr=follower, env=given, cwd=tmp_path
    ) as process:
        os.close(follower)
        shown = b""
        while True:
            try:
                part = os.read(leader, 65536)
            except OSError:  # the end of a terminal
                break
            if not part:
                break
            shown += part
    assert process.returncode == 1
    lines = re.sub(r"\x1b\[[0-9;]*m", "", shown.decode()).splitlines()
    assert lines[0].startswith("0 of 1,413 empirical claims measured")
    assert max(map(len, lines)) <= 80
    assert len(lines) <= 40


def test_nothing_is_kept_of_an_empty_store(
    clone: Path, fresh: subprocess.CompletedProcess[bytes]
) -> None:
    assert fresh.returncode == 1
    assert not (clone / "results").exists()


def test_the_readme_shows_the_first_line_that_the_command_prints(
    fresh: subprocess.CompletedProcess[bytes],
) -> None:
    shown = [
        line.strip()
        for line in (ROOT / "README.md").read_text().splitlines()
        if "empirical claims measured" in line
    ]
    assert shown == [first_line(fresh.stdout)]


@pytest.mark.worker
def test_the_page_about_json_shows_the_counts_that_the_command_prints(
    counts: dict[str, dict[str, int]],
) -> None:
    page = (ROOT / "docs" / "verify.md").read_text()
    block = re.search(r'^    (\{"measured".*?\}\})$', page, re.M | re.S)
    assert block
    assert json.loads(block[1]) == counts
    assert sum(sum(outcomes.values()) for outcomes in counts.values()) == len(load_claims())


def test_the_changelog_has_the_counts_that_the_command_prints(
    counts: dict[str, dict[str, int]],
) -> None:
    told = " ".join((ROOT / "CHANGELOG.md").read_text().split())
    holds, fails = counts["definition"]["holds"], counts["definition"]["fails"]
    assert f"called reproduced without a run ({holds} claims) now `holds`, {fails} `fail`" in told
    assert f"{sum(counts['setting'].values())} settings are compared with the manifest" in told


@pytest.mark.parametrize("page", ["README.md", "docs/verify.md", "CHANGELOG.md"])
def test_no_figure_called_reproduced_stands_in_a_document_without_a_run(page: str) -> None:
    figures = re.findall(
        r"([1-9][\d,]*) (?:claims )?reproduced|reproduced\W+([1-9][\d,]*)",
        (ROOT / page).read_text(),
    )
    assert figures == []
    assert re.findall(r"([1-9]\d*) reproduced", "71 reproduced") == ["71"], "the control"


def test_docs_and_output_name_the_same_bases_and_grades(counts: dict[str, dict[str, int]]) -> None:
    from repro.claims.tolerance import Grade

    for page in ("docs/verdicts.md", "docs/verify.md"):
        text = (ROOT / page).read_text().replace("not run", "not_run")
        words = [*counts, *(outcome for outcomes in counts.values() for outcome in outcomes)]
        assert [word for word in words if word not in text] == []
        assert [
            grade for grade in Grade.__args__ if grade not in text and grade != "supplied"
        ] == []  # type: ignore[attr-defined]
