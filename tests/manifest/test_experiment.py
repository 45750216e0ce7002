"""Manifests: what is accepted, and the one line that says what is wrong with the rest."""

from pathlib import Path

import pytest

from repro.errors import ManifestError
from repro.manifest.experiment import Experiment
from repro.manifest.load import MANIFESTS, experiment_names, load_experiment
from repro.plan.expand import expand, local_environment

SMOKE = (MANIFESTS / "smoke.yaml").read_text().replace("id: smoke", "id: mine")


def load(tmp_path: Path, content: str) -> Experiment:
    """Load `content` as a user's own manifest."""
    path = tmp_path / "mine.yaml"
    path.write_text(content)
    return load_experiment(str(path))


def test_the_unchanged_manifest_is_accepted(tmp_path: Path) -> None:
    assert load(tmp_path, SMOKE).conditions == load_experiment("smoke").conditions


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("probe_set:", "probe_sets:", r"mine\.yaml: field probe_set.*"),
        ("rank: 8", "rang: 8", r"field training\.lora\.rang: unknown; known are rank, alpha, dropout, targets"),
        ("accumulation: 4", "accumulation: four", r"field training\.accumulation: found 'four'"),
        ("tiny-mistral]", "tiny-mystery]", r"found model 'tiny-mystery', expected one of .*models\.yaml"),
        ("seeds: [0, 1]}", "seeds: [0, 1, 0]}", r"seeds 0 given twice in one arm"),
        ("code: [standard_library]", "code: [standard_lib]", r"found source 'standard_lib', expected one of"),
        ("{code: 0.7, math: 0.3}", "{code: 0.7, math: 0.4}", r"shares are .*sum 1"),
        ("{code: 0.7, math: 0.3}", "{code: 0.7, maths: 0.3}", r"mixes domain 'maths', but domains has"),
        ("conditions: [B0, B1, B2, B3]", "conditions: [B0, B9]", r"asks for condition 'B9', but conditions has"),
        ("id: mine", "id: yours", r"field id: found 'yours', expected 'mine'"),
        ("image: local", "image: local\nimage: cuda", r"mine\.yaml:\d+: .*'image' is given twice"),
        ("id: mine", "id: [mine", r"mine\.yaml:\d+: not a YAML file"),
    ],
)
def test_a_wrong_field_is_named_in_one_line(tmp_path: Path, old: str, new: str, expected: str) -> None:
    assert old in SMOKE
    with pytest.raises(ManifestError, match=expected) as caught:
        load(tmp_path, SMOKE.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_a_list_is_not_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="expected a mapping"):
        load(tmp_path, "- a\n- b\n")


def test_a_missing_manifest_lists_those_there_are() -> None:
    with pytest.raises(ManifestError, match=r"known are .*laptop.*smoke"):
        load_experiment("no_such")


def test_a_missing_probe_set_is_named(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(SMOKE.replace("factorial_48", "factorial_49"))
    with pytest.raises(ManifestError, match="factorial_49"):
        expand(load_experiment(str(path)), local_environment())


@pytest.mark.parametrize("name", experiment_names())
def test_every_manifest_of_the_project_expands_into_different_runs(name: str) -> None:
    runs = expand(load_experiment(name), local_environment())
    assert len({run.id for run in runs}) == len(runs) == len({run.slot for run in runs})


def test_the_scale_ladder_states_the_printed_protocol() -> None:
    experiment = load_experiment("scale_ladder")
    training = experiment.training
    assert (training.lora.rank, training.lora.alpha, training.lora.dropout) == (64, 128, 0.05)
    assert len(training.lora.targets) == 7
    assert (training.batch_size, training.accumulation, training.max_length) == (1, 16, 2048)
    assert (training.optimizer.learning_rate, training.optimizer.warmup) == (1e-4, 0.03)
    assert training.quantisation.format == "nf4"
    assert training.quantisation.double
    assert training.gradient_checkpointing
    assert {condition.steps for condition in experiment.conditions.values()} == {5000}
    seeds = {(run.model.id, run.condition_id): [] for run in expand(experiment, local_environment())}
    for run in expand(experiment, local_environment()):
        seeds[run.model.id, run.condition_id].append(run.seed)
    assert seeds == {
        ("qwen2.5-coder-7b", "B3"): [42, 0, 1],
        ("qwen2.5-coder-14b", "B3"): [42, 0, 1],
        ("qwen2.5-coder-32b", "B3"): list(range(8)),
        ("qwen2.5-coder-32b", "B2"): list(range(8)),
    }
