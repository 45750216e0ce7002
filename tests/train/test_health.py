"""Which state is known to be healthy."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.train.health import (
    Divergence,
    check_activations,
    check_parameters,
    last_healthy,
    read_state,
    save_state,
)


def state(step: int) -> dict[str, Tensor]:
    """A state that is told by its step."""
    return {"step": torch.tensor(step), "adapter/a": torch.full((3,), float(step))}


@pytest.mark.parametrize(("bad", "kept"), [(12, 10), (11, 10), (10, 5), (6, 5)])
def test_a_state_counts_as_healthy_only_when_a_finite_step_was_taken_from_it(
    tmp_path: Path, bad: int, kept: int
) -> None:
    folder = RunFolder(tmp_path)
    for step in (0, 5, 10):
        save_state(folder, state(step), measured=False)
    found = last_healthy(folder, Divergence(bad, "diverged"))
    assert found is not None
    assert int(found["step"]) == kept
    assert float(found["adapter/a"][0]) == kept
    assert int(read_state(folder.state)["step"]) == 10


def test_the_start_is_healthy_and_a_spoilt_state_is_named(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert last_healthy(folder, Divergence(0, "diverged")) is None
    save_state(folder, state(0), measured=False)
    assert last_healthy(folder, Divergence(0, "diverged")) is not None
    folder.state.write_bytes(b"cut off")
    with pytest.raises(EvidenceError, match=r"state\.safetensors: cannot be read"):
        read_state(folder.state)


def test_one_parameter_that_is_not_finite_is_found() -> None:
    model = nn.Linear(3, 2)
    assert check_parameters(model, 7) is None
    with torch.no_grad():
        model.weight[1, 2] = float("nan")
    found = check_parameters(model, 7)
    assert found is not None
    assert found.bad == 7
    assert "step 7: 1 of 2 trained tensors not finite, weight first" in found.problem


def test_activations_that_fell_silent_or_exploded_are_no_health_and_a_changed_scale_is() -> None:
    X = np.random.default_rng(0).normal(size=(6, 8)).astype(np.float32)
    rms = float(np.sqrt(np.mean(np.square(X, dtype=np.float64))))
    for scale in (1.0, 0.01, 100.0):
        assert check_activations(scale * X, rms, 20, 10) is None
    for scale in (0.0, 1e-4, 1e4):
        found = check_activations(np.float32(scale) * X, rms, 20, 10)
        assert found is not None
        assert found.bad == 11, "somewhere after step 10, where they were last measured"
        assert (
            found.problem
            == f"diverged by step 20: activation RMS {scale * rms:.3g} where step 0 had {rms:.3g}"
        )
    assert check_activations(0.0 * X, None, 0, -1) is None, "nothing to compare a base model with"
    X[2, 3] = np.nan
    found = check_activations(X, rms, 20, 10)
    assert found is not None
    assert (found.bad, found.problem) == (20, "diverged at step 20: 1 of 6 activations not finite")


def test_the_last_measured_state_is_kept_however_many_were_saved_since(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for step in range(0, 60, 5):
        save_state(folder, state(step), measured=step in (0, 30))
    assert [int(read_state(path)["step"]) for path in folder.states] == [55, 50, 30]
    found = last_healthy(folder, Divergence(31, "diverged by step 60, healthy at 30"))
    assert found is not None
    assert int(found["step"]) == 30
    assert last_healthy(folder, Divergence(30, "diverged")) is None, "nothing from before is left"
