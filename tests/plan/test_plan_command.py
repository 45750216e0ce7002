"""`repro plan` as a user meets it: what each run needs on a GPU and here, and what its model and adapter are made of."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import yaml

from repro.manifest.load import MANIFESTS

Command = Callable[..., CompletedProcess[str]]


def test_the_ladder_shows_runs_memory_hours_and_what_was_found(repro: Command) -> None:
    """A 32B model is built without weights; a CPU with too little memory gets no hours."""
    done = repro("plan", "scale_ladder", "--json")
    assert done.returncode == 0, done.stderr
    largest = next(row for row in json.loads(done.stdout) if row["run"].startswith("qwen2.5-coder-32b-B3"))
    assert largest["built"]["adapter"]["matrices"] == 896
    assert set(largest["built"]["adapter"]["modules"].values()) == {64}
    assert largest["obstacle"] is None
    assert largest["gpu_memory_gib"][0] < largest["gpu_memory_gib"][1] < largest["cpu_memory_gib"]
    text = repro("plan", "scale_ladder").stdout
    assert "896 matrices, 536.9 M trained" in text
    assert "22 of 22 runs to do" in text
    assert "Assumed: one A100" in text


def test_what_fits_here_has_processor_hours(repro: Command) -> None:
    rows = json.loads(repro("plan", "smoke", "--json").stdout)
    assert all(0 < row["cpu_hours"][0] < row["cpu_hours"][1] < 0.1 for row in rows)
    assert "hours of one core" in repro("plan", "smoke").stdout


def _changed(folder: Path, **training: object) -> str:
    """The ladder with another protocol, as a user's own file."""
    content = yaml.safe_load((MANIFESTS / "scale_ladder.yaml").read_text())
    content |= {"id": "mine", "training": content["training"] | training}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


def test_a_target_that_no_block_has_ends_with_one_line(repro: Command, tmp_path: Path) -> None:
    done = repro("plan", _changed(tmp_path, lora={"rank": 64, "alpha": 128, "targets": ["q_proj", "w1"]}))
    assert done.returncode == 2
    line = done.stderr.strip().splitlines()[-1]
    assert "training.lora.targets: found w1" in line
    assert "Traceback" not in done.stderr


def test_what_cannot_fit_is_named_with_the_nearest_that_would(repro: Command, tmp_path: Path) -> None:
    done = repro("plan", _changed(tmp_path, quantisation={"format": "none", "double": False}))
    assert done.returncode == 0
    problem = next(line for line in done.stdout.splitlines() if line.startswith("qwen2.5-coder-32b: needs at least"))
    assert "with 4-bit weights (" in problem
