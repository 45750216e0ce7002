"""What nobody foresaw is one line and exit code 2, never a verdict."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.worker
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
