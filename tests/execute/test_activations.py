"""A worker that reads a user's own model, killed on the way."""

from pathlib import Path

import psutil
import pytest

from repro.errors import SetupError
from repro.execute.activations import activations_of
from repro.execute.worker_command import is_worker
from repro.manifest.probes import load_probe_set


def test_one_that_was_killed_says_so(tiny_llama: Path, tmp_path: Path) -> None:
    """What it was at is no reason by itself. Ten times the texts: it cannot end before."""

    def killing(_: int, __: int) -> None:
        for child in psutil.Process().children():
            if is_worker(child.cmdline()):
                child.kill()

    with pytest.raises(SetupError, match=r"killed by signal 9; .*: block \d of 2; the same comman"):
        activations_of(tiny_llama, load_probe_set("six_domain_480"), tmp_path, killing)


def test_one_that_ends_leaves_nothing(tiny_llama: Path, tmp_path: Path) -> None:
    behind: list[tuple[int, int]] = []
    probes = load_probe_set("factorial_48")
    X = activations_of(tiny_llama, probes, tmp_path, lambda *at: behind.append(at))
    assert len(X) == 48
    assert behind == [(0, 2), (1, 2), (2, 2)]
    assert [path.name for path in (tmp_path / "walks").glob("*")] == []
