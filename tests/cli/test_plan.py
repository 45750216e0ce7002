"""`repro plan` as a user meets it: what each run needs on a GPU and here, and what its model and
adapter are made of.
"""

import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import CompletedProcess

import pytest
import yaml

from repro.manifest.load import MANIFESTS

Command = Callable[..., CompletedProcess[str]]


@pytest.mark.worker
def test_the_ladder_shows_runs_memory_hours_and_what_was_found(repro: Command) -> None:
    """A 32B model is built without weights; a CPU with too little memory gets no hours."""
    done = repro("plan", "scale_ladder", "--json")
    assert done.returncode == 0, done.stderr
    largest = next(
        row for row in json.loads(done.stdout) if row["run"].startswith("qwen2.5-coder-32b-B3")
    )
    assert largest["built"]["adapter"]["matrices"] == 896
    assert set(largest["built"]["adapter"]["modules"].values()) == {64}
    assert largest["obstacle"] is None
    assert largest["gpu_memory_gib"][0] < largest["gpu_memory_gib"][1] < largest["cpu_memory_gib"]
    text = repro("plan", "scale_ladder").stdout
    assert "896 matrices, 536.9 M trained" in text
    assert "22 of 22 runs to do" in text
    assert "GPU-hours: of one H100-80 of 80 GiB, its speeds measured 2026-11-28." in text


def test_a_card_and_a_price_that_are_named_count(repro: Command) -> None:
    """A 4090 holds no 32B, is slower than an H100, and nobody has measured it."""
    priced = ("plan", "scale_ladder", "--price", "2", "--json")
    rows, small = (json.loads(repro(*priced, *more).stdout) for more in ((), ("--gpu", "4090-24")))
    assert all(
        row["cost"] == pytest.approx([2 * hours for hours in row["gpu_hours"]], rel=0.01)
        for row in rows
    )
    assert small[0]["gpu_hours"][0] > rows[0]["gpu_hours"][0]
    assert {row["state"] for row in small if "32b" in row["run"]} == {"too large"}
    text = repro("plan", "scale_ladder", "--price", "2", "--gpu", "4090-24").stdout
    assert " to pay" in text
    assert "4090-24 of 24 GiB, its speeds not measured" in text
    assert "to pay" not in repro("plan", "smoke").stdout
    for price in ("0", "nan", "-1"):
        done = repro("plan", "smoke", "--price", price)
        assert done.returncode == 2
        assert "expected what a GPU-hour costs" in done.stderr


@pytest.mark.worker
def test_what_fits_here_has_processor_hours(repro: Command) -> None:
    rows = json.loads(repro("plan", "smoke", "--json").stdout)
    assert all(0 < row["cpu_hours"][0] < row["cpu_hours"][1] < 0.1 for row in rows)
    assert "hours of one core" in repro("plan", "smoke").stdout


def _changed(folder: Path, models: Sequence[str] = (), **training: object) -> str:
    """The ladder with another protocol, as a user's own file; of all its models or some."""
    content = yaml.safe_load((MANIFESTS / "scale_ladder.yaml").read_text())
    content["arms"] = [
        arm for arm in content["arms"] if not models or set(arm["models"]) <= set(models)
    ]
    content |= {"id": "mine", "training": content["training"] | training}
    path = folder / "mine.yaml"
    path.write_text(yaml.safe_dump(content))
    return str(path)


def test_a_target_that_no_block_has_ends_with_one_line(repro: Command, tmp_path: Path) -> None:
    done = repro(
        "plan", _changed(tmp_path, lora={"rank": 64, "alpha": 128, "targets": ["q_proj", "w1"]})
    )
    assert done.returncode == 2
    line = done.stderr.strip().splitlines()[-1]
    assert "training.lora.targets: found w1" in line
    assert "Traceback" not in done.stderr


@pytest.fixture
def card(tmp_path: Path) -> Callable[[int], dict[str, str]]:
    """A stand-in for nvidia-smi, which needs a GPU: the PATH under which a card of so many GiB is
    found.
    """

    def path(gibibytes: int) -> dict[str, str]:
        program = tmp_path / "bin" / "nvidia-smi"
        program.parent.mkdir(exist_ok=True)
        program.write_text(f"#!/bin/sh\necho 'card, {1024 * gibibytes}, 550.54'\n")
        program.chmod(0o755)
        return {"PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}"}

    return path


Card = Callable[[int], dict[str, str]]
FULL = {"quantisation": {"format": "none", "double": False}, "adapter": {"kind": "full"}}


@pytest.mark.worker
def test_what_cannot_fit_is_named_marked_and_left_out(
    repro: Command, card: Card, tmp_path: Path
) -> None:
    """Without 4 bits 32B is too large and 7B is not."""
    mine = _changed(tmp_path, quantisation={"format": "none", "double": False})
    done = repro("plan", mine, **card(80))
    assert done.returncode == 0, done.stderr
    problem = next(
        line for line in done.stdout.splitlines() if line.startswith("qwen2.5-coder-32b-B3-s0, ")
    )
    assert "and 13 more: needs at least" in problem
    assert "with 4-bit weights (" in problem
    assert sum("too large  " in line for line in done.stdout.splitlines()) == 16
    assert "6 of 22 runs to do: " in done.stdout
    assert "; 16 too large, left out" in done.stdout
    rows = json.loads(repro("plan", mine, "--json", **card(80)).stdout)
    assert {row["state"] for row in rows if "32b" in row["run"]} == {"too large"}
    assert {row["state"] for row in rows if "32b" not in row["run"]} == {"new"}
    assert all(row["obstacle"] is None or row["state"] == "too large" for row in rows)


@pytest.mark.worker
def test_a_plan_of_which_nothing_can_run_ends_with_one_line(
    repro: Command, card: Card, tmp_path: Path
) -> None:
    whole = _changed(tmp_path, models=("qwen2.5-coder-32b",), **FULL)
    done = repro("plan", whole, **card(80))
    assert done.returncode == 2
    assert "0 of 16 runs to do; 16 too large, left out" in done.stdout
    line = done.stderr.strip().splitlines()[-1]
    assert "no run can be carried out; qwen2.5-coder-32b-B3-s0 needs at least" in line
    assert "Traceback" not in done.stderr


@pytest.mark.worker
def test_a_gpu_that_is_here_decides_for_plan_and_run(repro: Command, card: Card) -> None:
    """A card of 24 GiB holds 14B in 4 bits and not 32B."""
    rows = json.loads(repro("plan", "scale_ladder", "--json", **card(24)).stdout)
    assert {row["run"].split("-B")[0] for row in rows if row["state"] == "too large"} == {
        "qwen2.5-coder-32b"
    }
    assert {row["state"] for row in rows if "14b" in row["run"]} == {"new"}
    done = repro("run", "scale_ladder", "--only", "*32b-B3-s0", **card(24))
    assert done.returncode == 2
    assert done.stderr.startswith("repro run: qwen2.5-coder-32b-B3-s0: needs at least ")
    assert "the GPU here has 24" in done.stderr


def test_runs_that_only_measure_take_time_and_small_figures_are_words(repro: Command) -> None:
    rows = json.loads(repro("plan", "base_geometry", "--json").stdout)
    assert all(0 < row["gpu_hours"][0] < row["gpu_hours"][1] for row in rows)
    text = repro("plan", "smoke").stdout
    assert "13 of 13 runs to do: 0.0" in text
    assert "under 0.01" in text, "one of them"
    assert "e-0" not in text
    assert re.search(
        r"tiny-qwen2 as built: \d+\.\d k parameters, .* matrices, \d+\.\d k trained\n", text
    )
    assert "0.0 M" not in text


def test_square_brackets_in_names_are_printed_as_they_are(repro: Command, tmp_path: Path) -> None:
    content = yaml.safe_load((MANIFESTS / "smoke.yaml").read_text()) | {"id": "mine"}
    (tmp_path / "[bold]").mkdir()
    (tmp_path / "[bold]" / "mine.yaml").write_text(yaml.safe_dump(content))
    done = repro(
        "plan", "[bold]/mine.yaml", "--results", "[/x]", REPRO_CACHE=str(tmp_path / "[red]")
    )
    assert done.returncode == 0, done.stderr
    assert repro("status", "--results", "[bold]").stdout.startswith(
        f"no runs under {tmp_path / '[bold]'}"
    )


def test_the_plan_names_every_run_with_its_state_and_cost(repro: Command) -> None:
    done = repro("plan", "scale_ladder", "--json")
    assert done.returncode == 0
    rows = json.loads(done.stdout)
    rows = rows["runs"] if isinstance(rows, dict) else rows
    assert len(rows) == 22
    assert {row["state"] for row in rows} == {"new"}
    assert all(0 < row["gpu_hours"][0] < row["gpu_hours"][1] for row in rows)
