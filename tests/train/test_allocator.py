"""Freed memory stays with a process that asked for that, and with no other."""

import subprocess
import sys

import pytest

CHILD = """
import resource, sys
import numpy as np
from repro.train.allocator import keep_freed_memory
if sys.argv[1] == "keep":
    keep_freed_memory()
for _ in range(3):
    np.ones(5_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(5_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def faults(way: str) -> int:
    """Pages that the system had to hand out while 40 MB were taken and freed ten times over, after a warm-up."""
    command = [sys.executable, "-c", CHILD, way]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator is what is asked: Linux only")
def test_memory_that_was_freed_is_not_handed_out_anew() -> None:
    kept, usual = faults("keep"), faults("leave")
    assert usual > 100, "a positive control: without it, blocks of this size come from the system each time"
    assert kept < usual / 10
