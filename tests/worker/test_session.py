"""A run is carried out to its end, from wherever it was left, and never twice."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from repro.errors import EvidenceError, SetupError
from repro.evidence.folder import RunFolder
from repro.evidence.lock import exclusive
from repro.files import file_digest
from repro.worker import session
from repro.worker.session import carry_out, make_deterministic
from tests.worker.conftest import Make


def evidence(folder: RunFolder) -> dict[str, str]:
    """Digests of what must not depend on interruptions."""
    parts = [
        path
        for part in ("steps", "activations", "adapter")
        for path in folder.path.glob(f"{part}/*")
    ]
    return {str(path.relative_to(folder.path)): file_digest(path) for path in parts}


def test_a_trained_run_leaves_its_evidence_and_no_state(make: Make, cache: Path) -> None:
    """Measured at its ends and every third step, with a checkpoint every second."""
    _, folder = make("B1")
    carry_out(folder.path, cache)
    marker = folder.done()
    assert marker is not None
    assert (marker.status, marker.reason) == ("done", None)
    folder.check()
    assert sorted(path.name for path in folder.path.glob("activations/*")) == [
        f"00000{step}.safetensors" for step in (0, 3, 5)
    ]
    assert sorted(path.name for path in folder.path.glob("steps/*")) == [
        f"00000{step}.parquet" for step in (0, 2, 3, 4, 5)
    ]
    assert not any(path.exists() for path in (*folder.states, folder.walk))
    before = {path: path.stat().st_mtime_ns for path in folder.path.rglob("*")}
    carry_out(folder.path, cache)
    after = {path: path.stat().st_mtime_ns for path in folder.path.rglob("*")}
    assert {path for path in after if after[path] != before.get(path)} <= {
        folder.path / ".worker.lock"
    }


def test_a_run_left_after_any_checkpoint_ends_with_the_same_bits(
    make: Make, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, whole = make("B1", "whole")
    carry_out(whole.path, cache)
    _, broken = make("B1", "broken")
    real, done = session.checkpoint, []

    def stop_after(*given: object) -> object:
        found = real(*given)  # type: ignore[arg-type]  # handed on
        done.append(given[1].step)  # type: ignore[attr-defined]  # a trainer
        if len(done) in (1, 3):
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(session, "checkpoint", stop_after)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            carry_out(broken.path, cache)
        assert broken.done() is None
    carry_out(broken.path, cache)
    assert evidence(broken) == evidence(whole)
    assert done == [0, 2, 3, 4, 5], "no step was taken again"


def test_a_run_that_diverges_keeps_the_last_healthy_adapter_and_says_so(
    make: Make, cache: Path
) -> None:
    _, folder = make("B1", change=("learning_rate: 0.01", "learning_rate: 1.0e+30"))
    carry_out(folder.path, cache)
    marker = folder.done()
    assert marker is not None
    assert marker.status == "diverged"
    assert marker.reason is not None
    assert "at step" in marker.reason
    assert "the adapter kept is that of step 0" in marker.reason
    adapter = load_file(folder.path / "adapter" / "adapter_model.safetensors")
    assert all(not value.any() for name, value in adapter.items() if "lora_B" in name)


def test_an_untrained_run_measures_the_base_model_once(make: Make, cache: Path) -> None:
    _, folder = make("B0")
    carry_out(folder.path, cache)
    assert [path.name for path in folder.path.glob("steps/*")] == ["000000.parquet"]
    assert not (folder.path / "adapter").exists()
    quantities = {row.quantity for row in folder.measurements(0)}
    assert {"entanglement_intensity", "heldout_loss"} <= quantities


def test_a_run_that_another_worker_holds_or_that_is_none_is_left(
    make: Make, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "PATIENCE", 0.0)
    _, folder = make("B0")
    with exclusive(folder.path, "worker"), pytest.raises(SetupError, match="at work here"):
        carry_out(folder.path, cache)
    assert not any(folder.path.glob("steps/*"))
    with pytest.raises(EvidenceError, match=r"run\.json"):
        carry_out(tmp_path / "empty", cache)


def test_sums_are_split_over_the_threads_of_the_manifest_and_in_one_order() -> None:
    before = torch.get_num_threads()
    make_deterministic(2)
    assert torch.get_num_threads() == 2
    assert torch.are_deterministic_algorithms_enabled()
    make_deterministic(before)
