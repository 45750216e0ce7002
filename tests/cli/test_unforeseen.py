"""What nobody foresaw is one line and exit code 2, never a verdict; files a user names are written
to, never replaced.
"""

import os
import stat
import subprocess
import sys
import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.errors import SetupError
from repro.report.export.junit import write_junit
from repro.verify.verdict import Verdict

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    "error",
    [
        "ValueError('two\\nlines \\x1b[31m')",
        "RecursionError()",
        "MemoryError()",
        "OSError(5, 'x', '/f')",
    ],
)
def test_a_bug_is_one_line_and_its_traceback_lies_in_a_log(tmp_path: Path, error: str) -> None:
    code = (
        f"from repro.cli import ending\ndef work(): raise {error}\nimport sys; "
        "sys.exit(ending('verify', work))"
    )
    given = {**os.environ, "REPRO_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=given, check=False
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("repro verify: a fault of repro's own (")
    assert "\x1b" not in line
    log = Path(line.rsplit("its log, ", 1)[1])
    assert log.parent == tmp_path / "logs"
    assert "Traceback" in log.read_text()
    assert "in work" in log.read_text()


def test_a_full_disk_under_the_output_is_no_bug_and_no_verdict(
    repro: Command, tmp_path: Path
) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which only Linux has")
    assert repro("ingest").returncode == 0
    command = [
        sys.executable,
        "-m",
        "repro",
        "sql",
        "SELECT 1",
        "--results",
        str(tmp_path / "results"),
    ]
    with open("/dev/full", "w") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert "standard output: No space left on device; free disk space" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def verdict(**fields: object) -> Verdict:
    """A verdict as far as JUnit reads it."""
    made = {
        "id": "p/t/1",
        "source": "p",
        "locator": "Table 1",
        "printed": "1",
        "estimate": 2.0,
        "reason": "r",
        "basis": "measured",
        "grade": "own",
    }
    return Verdict.model_construct(None, **{**made, "outcome": "contradicted", **fields})


def test_junit_is_xml_whatever_a_claim_says(tmp_path: Path) -> None:
    odd = "a\x00\x1b[31m\ufffe\ud800 é <&>"
    write_junit(tmp_path / "j.xml", [verdict(printed=odd, reason=odd, locator=odd)])
    (failure,) = ET.parse(tmp_path / "j.xml").iter("failure")
    assert failure.attrib["message"] == "contradicted: a\\x00\\x1b[31m\\ufffe\\ud800 é <&>"


def test_junit_replaces_a_plain_file_and_writes_into_everything_else(tmp_path: Path) -> None:
    target, link, pipe = tmp_path / "j.xml", tmp_path / "link.xml", tmp_path / "pipe"
    target.write_text("old")
    link.symlink_to(target)
    os.mkfifo(pipe)
    write_junit(link, [verdict()])
    assert link.is_symlink()
    assert "testsuites" in target.read_text()
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()))
    reader.start()
    write_junit(pipe, [verdict()])
    reader.join(10)
    assert "testsuites" in read[0]
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    write_junit(Path("/dev/null"), [verdict()])
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


def test_a_full_device_is_refused_and_no_file_takes_its_place() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which only Linux has")
    with pytest.raises(SetupError, match="could not be written"):
        write_junit(Path("/dev/full"), [verdict()])
    assert stat.S_ISCHR(os.stat("/dev/full").st_mode)


@pytest.mark.worker
def test_junit_to_standard_output_is_printed(repro: Command, tmp_path: Path) -> None:
    done = repro("verify", "smoke", "--junit", "/dev/stdout", "--json")
    assert "<testsuites" in done.stdout
    assert Path("/dev/stdout").is_symlink()
    assert repro("verify", "smoke", "--junit", str(tmp_path / "no" / "j.xml")).returncode == 3
    refused = repro("verify", "smoke", "--junit", "/proc/j.xml")
    assert refused.returncode == 2
    assert "free disk space" not in refused.stderr
