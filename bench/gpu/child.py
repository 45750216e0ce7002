"""Run one part in a process of its own: `python -m bench.gpu.child PART DEVICE`.

Prints a line of JSON for each row as soon as it is found, so that a part that is ended loses none.
"""

import json
import os
import sys
from importlib import import_module

from bench.gpu.parts import PARTS, failed
from bench.gpu.scale import Scale
from repro.errors import first_line

MARK = "ROW "
"""What a line with a row begins with. Libraries print others."""


def main(name: str, device: str) -> int:
    """Print the rows of a part. What it raises is its last row."""
    part = PARTS[name]
    # Set before cuBLAS starts: without it results vary between runs.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    try:
        rows = import_module(f"bench.gpu.{part.module}").rows
        for row in rows(Scale(device), *([part.argument] if part.argument else [])):
            print(MARK + json.dumps(row, allow_nan=False), flush=True)
    except Exception as error:  # Whatever a card or a newer package does: the other parts go on.
        row = failed(name, f"{type(error).__name__}: {first_line(error)[:300]}")
        print(MARK + json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
