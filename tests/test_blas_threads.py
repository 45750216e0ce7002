"""How many threads NumPy's and SciPy's BLAS take in a process of ours."""

import json
import os
import subprocess
import sys

import pytest

ASK = """
import repro, json, numpy, scipy.linalg
from threadpoolctl import threadpool_info
print(json.dumps([pool["num_threads"] for pool in threadpool_info() if pool["internal_api"] == "openblas"]))
"""


def threads(**wanted: str) -> list[int]:
    """Threads of each OpenBLAS in a fresh process that imports `repro` first."""
    kept = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    done = subprocess.run(
        [sys.executable, "-c", ASK], env=kept | wanted, capture_output=True, text=True, check=True
    )
    return list(json.loads(done.stdout))


def test_both_libraries_take_one_thread_whatever_pytorch_is_given() -> None:
    """Two pools of spinning threads starve each other."""
    assert threads(OMP_NUM_THREADS="2") == [1, 1]


@pytest.mark.skipif(
    (os.cpu_count() or 1) < 2, reason="OpenBLAS takes no more threads than there are processors"
)
def test_a_user_who_asks_for_more_gets_them() -> None:
    """The default gives way, so the first test does measure something."""
    assert threads(OPENBLAS_NUM_THREADS="2") == [2, 2]
