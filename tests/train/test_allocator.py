"""Freed memory stays with a process that asked for that, and with no other."""

import json
import subprocess
import sys

import pytest

CHILD = """
import resource, sys
import numpy as np
from repro.train.loop import keep_freed_memory
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
    """Pages that the system had to hand out while 40 MB were taken and freed ten times over, after
    a warm-up.
    """
    command = [sys.executable, "-c", CHILD, way]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="glibc's allocator is what is asked: Linux only"
)
def test_memory_that_was_freed_is_not_handed_out_anew() -> None:
    kept, usual = faults("keep"), faults("leave")
    assert usual > 100, (
        "a positive control: without it, blocks of this size come from the system each time"
    )
    assert kept < usual / 10


GROWN = """
import json
import numpy as np
from repro.train.loop import KeptMemory, _resident, keep_freed_memory
keep_freed_memory()
memory, found = KeptMemory(), []
for _ in range(2):
    found.append(memory.after_step())
torn = [np.ones(250_000) for _ in range(200)]
torn = torn[::20]  # what lives on between pieces that are free
before = _resident()
found.append(memory.after_step())
print(json.dumps([found, before, _resident(), memory.after_step()]))
"""


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="glibc's allocator is what is asked: Linux only"
)
def test_memory_that_grew_in_pieces_is_given_back() -> None:
    """400 MB in 200 pieces, of which ten live on."""
    done = subprocess.run([sys.executable, "-c", GROWN], capture_output=True, text=True, check=True)
    found, before, after, again = json.loads(done.stdout)
    assert found == [False, False, True]
    assert before - after > 300e6
    assert not again
