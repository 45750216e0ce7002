"""Tables in a narrow terminal: words stand whole, columns go and are named."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

COMMAND = [sys.executable, "-m", "repro", "plan", "smoke"]
NAMES = ("tiny-qwen2-B0", "tiny-mistral-B3-s1")


def in_terminal(columns: int) -> list[str]:
    """Run the command on a terminal of so many columns; return the lines without colours."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    environment.pop("COLUMNS", None)
    child = subprocess.Popen(COMMAND, stdout=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    content = b""
    try:
        while read := os.read(ours, 65536):
            content += read
    except OSError:
        pass  # the terminal is closed: the command has ended
    os.close(ours)
    assert child.wait() == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", content.decode()).splitlines()


def in_pipe(columns: str) -> list[str]:
    """Run the command with its output read by this test."""
    environment = {**os.environ, "COLUMNS": columns}
    done = subprocess.run(COMMAND, capture_output=True, text=True, env=environment, check=True)
    return done.stdout.splitlines()


@pytest.mark.worker
@pytest.mark.parametrize("columns", [60, 80])
def test_names_stand_whole_and_what_has_no_room_is_named(columns: int) -> None:
    for lines in (in_terminal(columns), in_pipe(str(columns))):
        table = [
            line for line in lines if line.strip().startswith("tiny-") and "as built" not in line
        ]
        assert len(table) == 13
        assert all(len(line) <= columns and "…" not in line for line in table)
        assert [name for name in NAMES if any(line.split()[0] == name for line in table)] == list(
            NAMES
        )
        assert any(
            line.startswith(f"no room in {columns} columns for: id, steps") for line in lines
        )


@pytest.mark.worker
def test_a_wide_pipe_shows_all_columns() -> None:
    lines = in_pipe("")
    assert any(line.split() == ["run", "id", "state", "steps", "GPU-hours", "GPU", "GiB", "CPU-hours", "CPU", "GiB",
                                "disk", "GiB"] for line in lines)  # fmt: skip
    assert not any("no room" in line for line in lines)
