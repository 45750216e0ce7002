"""What nobody foresaw: one line, exit code 2, and the traceback in a log that the line names."""

import errno
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

from repro.plain import one_line

_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EBADF)
"""Of a write to what has no name here: standard output."""


def report_bug(verb: str, error: Exception) -> int:
    """Say in one line that a bug ended the verb, and where its traceback lies.

    Return the exit code.
    """
    from repro.cli import drop_output

    if isinstance(error, OSError) and error.filename is None and error.errno in _OUTPUT:
        drop_output()
        print(
            f"repro {verb}: standard output cannot be written ({error.strerror})", file=sys.stderr
        )
        return 2
    said = one_line(f"{type(error).__name__}: {error}")[:300]
    text = "".join([f"repro {verb}: {sys.argv!r}\n", *traceback.format_exception(error)])
    print(
        f"repro {verb}: a fault of repro's own ({said}); please report it with {_log(text)}",
        file=sys.stderr,
    )
    return 2


def _log(text: str) -> str:
    """Say where the traceback lies: in the cache, else in the folder for temporary files."""
    name = f"{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
    for folder in (*_logs(), Path(tempfile.gettempdir())):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"repro-{name}"
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return f"its log, {path}"
    return f"this: {one_line(text)}"


def _logs() -> list[Path]:
    """Return the cache's folder of logs, or nothing where what names it is itself what fails."""
    try:
        from repro.execute.folders import cache_folder

        return [cache_folder() / "logs"]
    except Exception:  # whatever it is, it must not end the command with 1, a verdict
        return []
