"""What watchers read of a run: its phase, its speed, its loss, and the time left."""

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from repro.evidence.measurement import Measurement
from repro.evidence.progress import Progress


@dataclass(frozen=True)
class Step:
    """One optimizer step."""

    step: int
    loss: float
    tokens: int
    seconds: float


def read(folder: Path) -> dict[str, Any]:
    """What lies in the folder for watchers."""
    content: dict[str, Any] = json.loads((folder / "progress.json").read_text())
    return content


def test_a_phase_is_written_with_the_process_and_the_steps_to_come(tmp_path: Path) -> None:
    Progress(tmp_path, 6).show("loading", force=True)
    content = read(tmp_path)
    assert content.pop("updated") > 0
    assert content == {"phase": "loading", "steps": 6, "pid": os.getpid()}
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]


def test_within_the_interval_nothing_is_written_unless_it_must_be(tmp_path: Path) -> None:
    """The last write is said to be of the far future."""
    progress = Progress(tmp_path, 6, written=math.inf)
    progress.show("loading")
    assert not (tmp_path / "progress.json").exists()
    progress.show("training", force=True)
    assert read(tmp_path)["phase"] == "training"


def test_speed_and_pace_are_moving_averages_of_the_steps(tmp_path: Path) -> None:
    """100 and then 200 tokens a second: 0.9 · 100 + 0.1 · 200."""
    progress = Progress(tmp_path, 6)
    progress.step(Step(1, 2.5, 100, 1.0))
    assert (progress.values["tokens_per_second"], progress.values["seconds_per_step"]) == (100, 1)
    progress.step(Step(2, 2.25, 800, 4.0))
    assert progress.values["tokens_per_second"] == pytest.approx(110)
    assert progress.values["seconds_per_step"] == pytest.approx(1.3)
    assert (progress.values["step"], progress.values["loss"]) == (2, 2.25)
    progress.step(Step(3, math.nan, 100, 0.0))
    assert progress.values["loss"] is None
    assert math.isfinite(progress.values["tokens_per_second"])


def test_time_left_is_known_from_the_second_block_on(tmp_path: Path) -> None:
    """An attempt that resumes has behind it what another did, at a pace of its own."""
    progress = Progress(tmp_path, 0)
    progress.block(7, 10)
    assert (read(tmp_path)["block"], read(tmp_path)["seconds_left"]) == (7, None)
    begun, behind = progress.walking or (0.0, 0)
    assert behind == 7
    progress.walking = (begun - 10.0, behind)
    progress.block(9, 10)
    left = read(tmp_path)["seconds_left"]
    # Ten seconds and more for two blocks: five and more for the last.
    assert 5.0 <= left < 60.0
    progress.block(10, 10)
    assert read(tmp_path)["seconds_left"] == 0


def test_the_entanglement_shown_is_the_runs_own_under_the_default_reading(tmp_path: Path) -> None:
    def row(value: float | None, **where: str) -> Measurement:
        reason = "none" if value is None else None
        usual = {"step": 0, "quantity": "entanglement_intensity", "n": 48}
        return Measurement.model_validate({**usual, "value": value, "reason": reason, **where})

    others = [row(9.0, specification="anchored"), row(8.0, probe_set="six_domain_480")]
    progress = Progress(tmp_path, 6)
    progress.measured([row(0.25), *others, row(7.0, quantity="v_purity")])
    assert progress.values["entanglement_intensity"] == 0.25
    progress.measured([row(None), *others])
    assert progress.values["entanglement_intensity"] is None
