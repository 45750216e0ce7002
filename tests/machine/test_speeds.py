"""What `repro doctor --measure` finds is what plans count with."""

from pathlib import Path

import pytest

from repro.cost.profiles import CORE, core, told_by
from repro.machine.speeds import measure


@pytest.mark.worker
def test_the_core_here_is_measured_by_the_worker_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without torch in this process; the next plan reads the same numbers."""
    monkeypatch.setenv("TORCH", "cpu")
    assert core(tmp_path).measured is None, "nothing is measured yet"
    found = measure(tmp_path, seconds=0.05)
    assert core(tmp_path) == found
    assert found.name == CORE
    assert found.measured is not None
    assert found.gibibytes is None
    assert found.spread < told_by(1e11).spread
