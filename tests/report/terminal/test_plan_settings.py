"""A plan names printed settings that its manifest does not have, before anybody pays for its runs."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from repro.claims.papers import load_claims
from repro.manifest.load import MANIFESTS, experiment_names, load_experiment
from repro.plan.expand import expand, local_environment
from repro.report.terminal.plan_settings import SETTINGS_NAMED, setting_notes

Command = Callable[..., CompletedProcess[str]]
AT_ODDS = {"dynamics": "concepts of 3, 4, 4 classes", "crosstalk": "80 probes_per_domain"}
"""What the papers print against their own other prints."""


def notes(folder: Path, name: str, *changes: tuple[str, str]) -> list[str]:
    """The notes of a manifest, some of whose lines are written otherwise."""
    text = (MANIFESTS / f"{name}.yaml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / f"{name}.yaml").write_text(text)
    experiment = load_experiment(str(folder / f"{name}.yaml"))
    return setting_notes(experiment, expand(experiment, local_environment()), load_claims())


@pytest.mark.parametrize("name", experiment_names())
def test_a_manifest_as_it_comes_differs_only_where_a_paper_contradicts_itself(name: str) -> None:
    experiment = load_experiment(name)
    found = setting_notes(experiment, expand(experiment, local_environment()), load_claims())
    assert len(found) == (name in AT_ODDS)
    assert all(AT_ODDS[name] in line for line in found)


def test_each_setting_that_is_not_the_papers_is_named_once_with_its_prints(tmp_path: Path) -> None:
    found = notes(
        tmp_path, "scale_ladder", ("rank: 64 ", "rank: 16 "), ("warmup: 0.03", "warmup: 0.1")
    )
    assert found[0].startswith(
        "differs from the paper: scale_ladder sets lora_rank to 16; printed '64' in "
        "consolidated §2.2"
    )
    assert found[1] == (
        "differs from the paper: scale_ladder sets warmup to 10 %; printed '3%' in consolidated "
        "§2.2"
    )
    assert len(found) == 2


def test_what_a_paper_prints_for_all_its_runs_is_told_of_its_other_manifests_too(
    tmp_path: Path,
) -> None:
    assert notes(tmp_path, "companions", ("dropout: 0.05", "dropout: 0.3")) == [
        "differs from the paper: lora_dropout 0.3, printed 0.05"
    ]


def test_a_long_list_is_cut_and_counted(tmp_path: Path) -> None:
    changes = [
        ("rank: 64 ", "rank: 16 "), ("alpha: 128", "alpha: 1"), ("dropout: 0.05", "dropout: 0.3"), ("rate: 1.0e-4", "rate: 2.0e-4"),
        ("warmup: 0.03", "warmup: 0.1"), ("accumulation: 16", "accumulation: 2"), ("length: 2048", "length: 64"),
        ("steps: 5000", "steps: 60"), ("every: 500", "every: 20"), ("checkpointing: true", "checkpointing: false"),
    ]  # fmt: skip
    found = notes(tmp_path, "scale_ladder", *changes)
    assert len(found) == SETTINGS_NAMED + 1
    assert found[-1].startswith("and ")


@pytest.mark.worker
def test_run_says_it_before_anything_is_trained_and_plan_beside_its_json(
    repro: Command, tmp_path: Path
) -> None:
    text = (MANIFESTS / "smoke.yaml").read_text().replace("id: smoke", "id: scale_ladder")
    (tmp_path / "scale_ladder.yaml").write_text(text)
    told = "differs from the paper: scale_ladder sets lora_rank to"
    planned = repro("plan", "./scale_ladder.yaml", "--json")
    assert told in planned.stderr
    assert planned.stdout.startswith("[")
    assert told in repro("plan", "./scale_ladder.yaml").stdout
    refused = repro(
        "run",
        "./scale_ladder.yaml",
        "--only",
        "tiny-qwen2-B0*",
        "--runner",
        "local",
        REPRO_CACHE="/dev/null/x",
    )
    assert told in refused.stdout, "the run itself could not begin"
