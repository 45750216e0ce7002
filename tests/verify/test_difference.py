"""`repro diff`: a repetition differs by nothing, seeds by noise, another training by more than
that, an edited file by its name.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import numpy as np
import pytest
from scipy import stats

from repro.evidence.folder import RunFolder
from repro.evidence.measurement import Measurement
from repro.execute.folders import place_runs, prepare
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment

Command = Callable[..., CompletedProcess[str]]
EI = "entanglement_intensity"
MANIFEST = """
id: compared
title: one condition
image: local
probe_set: factorial_48
domains: {{code: [standard_library]}}
conditions: {{B1: {{title: code, phases: [{{steps: {steps}, mixture: {{code: 1.0}}}}]}}}}
training: {{lora: {{rank: 4}}, compute: float32}}
diagnostics: {{every: 6}}
arms: [{{models: [tiny-llama], conditions: [B1], seeds: {seeds}}}]
"""
PAPER = """
- locator: Table 1
  measured_by: compared
  quantity: entanglement_intensity
  model: tiny-llama
  condition: B1
  step: 6
  statements:
    - says: "entanglement intensity stays below 0.7"
      claims: [{printed: "below 0.7", statistic: all, over: seed, among: [0, 1, 2], where: {below: 0.7}}]
"""


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., Path]:
    """A results folder whose runs have these values of EI at step 6, by seed; margin is undefined."""

    def results(name: str, values: dict[int, float], steps: int = 6) -> Path:
        path = tmp_path / "compared.yaml"
        path.write_text(MANIFEST.format(steps=steps, seeds=list(values)))
        for one in place_runs(
            expand(load_experiment(str(path)), local_environment()), tmp_path / name
        ):
            folder = prepare(one)
            rows = [Measurement(step=6, quantity=EI, value=values[one.run.seed or 0], n=48, layer="post_norm"),
                    Measurement(step=6, quantity="margin", value=None, reason="none", n=48, layer="post_norm")]  # fmt: skip
            folder.append(6, rows)
            folder.finish("done")
        return tmp_path / name

    return results


@pytest.fixture
def diff(repro: Command) -> Callable[..., tuple[int, Any]]:
    """(exit code, JSON) of `repro diff`."""

    def run(*words: Path | str) -> tuple[int, Any]:
        done = repro("diff", *map(str, words), "--json")
        assert done.stderr == ""
        return done.returncode, json.loads(done.stdout)

    return run


def test_a_repetition_differs_by_nothing(made: Any, diff: Any, repro: Command) -> None:
    one, other = made("one", {0: 0.5, 1: 0.6}), made("other", {0: 0.5, 1: 0.6})
    code, found = diff(one, other)
    assert code == 0
    assert (found["same_runs"], found["numbers"], found["same_bits"], found["cells"]) == (
        2,
        4,
        4,
        [],
    )
    assert repro("diff", str(one), str(other)).stdout == (
        "nothing but noise: 2 runs of one name in both, 4 of 4 numbers the same bits\n"
    )


def test_a_gap_of_rounding_is_noise_and_a_larger_one_of_a_run_of_one_name_is_not(
    made: Any, diff: Any
) -> None:
    one = made("one", {0: 0.5, 1: 0.6})
    code, found = diff(one, made("rounded", {0: 0.5 * (1 + 1e-13), 1: 0.6}))
    assert (code, found["same_bits"]) == (0, 3)
    assert found["largest_relative_gap"] == pytest.approx(1e-13, rel=0.1)
    code, found = diff(one, made("other", {0: 0.5001, 1: 0.6}))
    assert code == 1
    (cell,) = found["cells"]
    assert (cell["kind"], cell["quantity"], cell["first"], cell["second"]) == (
        "apart",
        EI,
        0.5,
        0.5001,
    )


def test_other_seeds_are_held_against_the_spread_from_seed_to_seed(made: Any, diff: Any) -> None:
    random = np.random.default_rng(0)
    left, right = random.normal(0.5, 0.05, 5), random.normal(0.52, 0.05, 5)
    one = made("one", dict(enumerate(left)))
    code, found = diff(one, made("seeds", {k + 10: value for k, value in enumerate(right)}))
    (cell,) = [cell for cell in found["cells"] if cell["quantity"] == EI]
    assert cell["kind"] == "noise"
    assert cell["p_holm"] == pytest.approx(stats.ttest_ind(left, right, equal_var=False).pvalue)
    assert cell["sd"] == pytest.approx(np.sqrt((left.var(ddof=1) + right.var(ddof=1)) / 2))
    assert code == 3, "the runs of either side are missing on the other"
    assert found["only_in_first"][0] == "compared/tiny-llama-B1-s0"


def test_another_training_is_told_by_its_inputs_and_by_how_much(
    made: Any, diff: Any, repro: Command
) -> None:
    one = made("one", {seed: 0.5 + 0.01 * seed for seed in range(4)})
    longer = made("longer", {seed: 0.9 + 0.01 * seed for seed in range(4)}, steps=7)
    code, found = diff(one, longer)
    assert code == 1
    (cell,) = [cell for cell in found["cells"] if cell["quantity"] == EI]
    assert (cell["kind"], cell["runs"]) == ("differs", [4, 4])
    assert cell["spreads"] == pytest.approx(0.4 / np.std([0, 0.01, 0.02, 0.03], ddof=1))
    assert found["other_inputs"]["compared/tiny-llama-B1-s0"] == ["condition.phases.0.steps: 6 → 7"]
    text = repro("diff", str(one), str(longer)).stdout
    assert text.startswith("they differ: 0 runs of one name in both")
    assert (
        f"compared/tiny-llama-B1 step 6, {EI}: 0.515 → 0.915, +31 SD from seed to seed (n = 4 "
        "and 4, p = "
    ) in text
    table = repro("diff", str(one), str(longer), "--markdown").stdout
    assert table.startswith("**They differ: ")
    assert "| cell | difference |\n|---|---|\n| compared/tiny-llama-B1 step 6" in table


def test_one_run_a_side_shows_no_spread(made: Any, diff: Any) -> None:
    code, found = diff(made("one", {0: 0.5}), made("other", {1: 0.7}))
    assert code == 3
    assert [cell["kind"] for cell in found["cells"] if cell["quantity"] == EI] == ["no spread"]


def test_a_subset_is_incomplete_and_no_difference(made: Any, diff: Any) -> None:
    code, found = diff(made("one", {0: 0.5, 1: 0.9}), made("other", {0: 0.5}))
    assert (code, found["only_in_first"], found["cells"]) == (3, ["compared/tiny-llama-B1-s1"], [])


def test_an_edited_folder_is_named_with_its_file(made: Any, diff: Any, tmp_path: Path) -> None:
    one = made("one", {0: 0.5, 1: 0.6})
    edited = Path(shutil.copytree(one, tmp_path / "edited"))
    folder = RunFolder(sorted((edited / "runs" / "compared").iterdir())[0])
    with folder.measurements_file(6).open("ab") as file:
        file.write(b"x")
    code, found = diff(one, edited)
    assert code == 1
    assert "steps/000006.parquet" in found["left_out"][0]
    assert not list(edited.glob("*.duckdb*")), "nothing is written where it only reads"


def test_verdicts_of_a_paper_in_a_folder_are_compared_alone(
    made: Any, diff: Any, repro: Command, tmp_path: Path
) -> None:
    one, other = made("one", {0: 0.5, 1: 0.6, 2: 0.55}), made("other", {5: 0.5, 6: 0.6})
    paper = tmp_path / "papers" / "elsewhere"
    paper.mkdir(parents=True)
    (paper / "paper.yaml").write_text("id: elsewhere\ntitle: elsewhere\nevidence: random\n")
    (paper / "small.yaml").write_text(PAPER)
    _, without = diff(one, other)
    code, found = diff(one, other, "--papers", paper)
    assert code == 1
    assert not without["verdicts"]
    assert found["verdicts"] == [
        {"claim": "elsewhere/table-1/below-0.7", "first": "inconclusive", "second": "not_run"}
    ]
    absent = repro("diff", str(one), str(other), "--papers", str(tmp_path / "none"))
    assert (absent.returncode, absent.stdout, absent.stderr.count("\n")) == (2, "", 1)
