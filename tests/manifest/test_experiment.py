"""Manifests: what is accepted, and the one line that says what is wrong with the rest."""

from pathlib import Path
from typing import get_args

import pytest

from repro.errors import ManifestError
from repro.manifest.adapters import BlockDiagonal
from repro.manifest.experiment import BuiltImage, Experiment
from repro.manifest.load import MANIFESTS, experiment_names, load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.image_lock import load_locks
from repro.plan.run import Run, differences

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
        (
            "probe_set:",
            "probe_sets:",
            r"mine\.yaml: field probe_sets: unknown; nearest is probe_set; known are .*1 more",
        ),
        (
            "B2: {title:",
            "B2: {titel:",
            r"field conditions\.B2\.titel: unknown; nearest is title; known are .*1 more",
        ),
        (
            "rank: 8",
            "rang: 8",
            r"field training\.lora\.rang: unknown; nearest is rank; known are kind, rank, alpha, "
            r"dropout, targets",
        ),
        ("accumulation: 4", "accumulation: four", r"field training\.accumulation: found 'four'"),
        (
            "tiny-mistral]",
            "tiny-mystery]",
            r"found model 'tiny-mystery', expected one of .*models\.yaml",
        ),
        ("seeds: [0, 1]}", "seeds: [0, 1, 0]}", r"seeds 0 given twice in one arm"),
        (
            "code: [standard_library]",
            "code: [standard_lib]",
            r"found source 'standard_lib', expected one of",
        ),
        (
            "code: [standard_library]",
            "code: standard_library",
            r"domains\.code: found 'standard_library'; expected a list,",
        ),
        (
            "B2: {title",
            "B2:\n  B7: {title",
            r"field conditions\.B2: found nothing; expected a mapping of fields$",
        ),
        (
            "code: [standard_library]",
            "code: []",
            r"mine\.yaml: field domains\.code: found \[\]; expected at least 1",
        ),
        (
            "seeds: [0, 1]}",
            "seeds: [0, -1]}",
            r"field arms\.0\.seeds\.1: found -1; .*greater than or equal to 0$",
        ),
        (
            "seeds: [0, 1]}",
            "seeds: [0, true]}",
            r"field arms\.0\.seeds\.1: found True; expected a valid integer$",
        ),
        (
            "seeds: [0, 1]}",
            "seeds: [-1, 1, -2]}",
            r"seeds\.0: found -1; expected a number greater .* 0 \(and 1 more\)$",
        ),
        (
            "seeds: [0, 1]}",
            "seeds: []}",
            r"arms\.0\.seeds: found \[\]; expected at least 1; add what is missing$",
        ),
        (
            "id: mine",
            "id: Mine",
            r"field id: found 'Mine'; expected lower-case letters, digits, dots",
        ),
        ("image: local", "image: foo", r"field image: found 'foo'; .*'local', 'cpu' or 'cuda'"),
        (
            "max_length: 48",
            "max_length: 99999999",
            r"field training\.max_length: found 99999999; .*131072",
        ),
        (
            "{code: 0.7, math: 0.3}",
            "{code: 0.7, math: 0.4}",
            r"mine\.yaml: condition B\d: shares are .*sum 1",
        ),
        (
            "{code: 0.7, math: 0.3}",
            "{code: 0.7, maths: 0.3}",
            r"mixes domain 'maths', but domains has",
        ),
        (
            "conditions: [B0, B1, B2, B3]",
            "conditions: [B0, B9]",
            r"asks for condition 'B9', but conditions has",
        ),
        ("id: mine", "id: yours", r"field id: found 'yours', expected 'mine'"),
        ("image: local", "image: local\nimage: cuda", r"mine\.yaml:\d+: .*'image' is given twice"),
        ("id: mine", "id: [mine", r"mine\.yaml:\d+: not a YAML file"),
    ],
)
def test_a_wrong_field_is_named_in_one_line(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    assert old in SMOKE
    with pytest.raises(ManifestError, match=expected) as caught:
        load(tmp_path, SMOKE.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_a_check_of_the_whole_manifest_does_not_print_the_manifest(tmp_path: Path) -> None:
    """A check of one field does say what it found."""
    with pytest.raises(ManifestError) as whole:
        load(tmp_path, SMOKE.replace("conditions: [B0, B1, B2, B3]", "conditions: [B0, B9]"))
    assert "found {" not in str(whole.value)
    assert "the whole" not in str(whole.value)
    with pytest.raises(ManifestError, match=r"accumulation: found 'four'"):
        load(tmp_path, SMOKE.replace("accumulation: 4", "accumulation: four"))


def test_a_rank_that_a_model_has_no_room_for_is_refused(tmp_path: Path) -> None:
    """The tiny models' keys are 32 wide; of full fine-tuning and of the base model nobody asks a
    rank.
    """
    assert expand(load(tmp_path, SMOKE.replace("rank: 8", "rank: 32")), local_environment())
    wide = SMOKE.replace("rank: 8", "rank: 33")
    with pytest.raises(
        ManifestError,
        match=r"^manifest mine: condition B1: found rank 33, but k_proj of tiny-qwen2 is only 32 "
        r"wide; .* at most 32$",
    ):
        expand(load(tmp_path, wide), local_environment())
    full = wide.replace("training:", "training:\n  adapter: {kind: full}", 1)
    assert expand(load(tmp_path, full), local_environment())


CODE = "phases: [{steps: 6, mixture: {code: 1.0}}]"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (
            f"Y: {{title: y, {CODE}, continues: B0}}",
            r"Y continues 'B0', which trains nothing; drop `continues`: it then",
        ),
        (
            f"Y: {{title: y, {CODE}, continues: Z}}",
            r"Y continues 'Z', which is no condition of this manifest; drop",
        ),
        (
            f"Y: {{title: y, {CODE}, continues: Y}}",
            r"Y continues itself by way of Y → Y; drop `continues` of one",
        ),
        (
            f"Y: {{title: y, {CODE}, continues: B1, adapter: {{kind: lora, rank: 8, alpha: 16, "
            f"targets: [q_proj]}}}}",
            r"Y trains lora \(targets q_proj\) but continues B1, which trains lora \(targets "
            r"q_proj k_proj .*down_proj\);",
        ),
        (
            f"Y: {{title: y, {CODE}, csr: {{strength: 1}}}}",
            r"Y has csr, whose penalty is due every 7th step \(training\.csr\.every\), but only "
            r"6 steps; lower .* at most 6",
        ),
        (
            "Y: {title: y, csr: {strength: 1}}",
            r"Y has csr, .* but only 0 steps; give it phases, or drop its csr",
        ),
    ],
)
def test_a_condition_that_cannot_do_what_it_says_is_refused(
    tmp_path: Path, conditions: str, expected: str
) -> None:
    """Beside it, one that can is accepted."""
    content = SMOKE.replace("training:", "training:\n  csr: {every: 7}", 1)
    fine = f"  X: {{title: x, {CODE.replace('6', '7')}, csr: {{strength: 1}}, continues: B1}}"
    assert (
        load(tmp_path, content.replace("training:", f"{fine}\ntraining:", 1))
        .conditions["X"]
        .continues
        == "B1"
    )
    with pytest.raises(ManifestError, match=expected) as caught:
        load(tmp_path, content.replace("training:", f"{fine}\n  {conditions}\ntraining:", 1))
    assert "\n" not in str(caught.value)


def test_a_condition_never_offers_itself_to_go_on_from(tmp_path: Path) -> None:
    extra = f"  Y: {{title: y, {CODE}, continues: B0}}"
    with pytest.raises(
        ManifestError, match=r"or name a trained condition: B1, B2, B3(, \w+)*$"
    ) as caught:
        load(tmp_path, SMOKE.replace("training:", f"{extra}\ntraining:", 1))
    assert "Y" not in str(caught.value).split("trained condition:")[1]


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("rank: 8", "rank: 8, targets: [query, q_proj]", "training.lora.targets"),
        (
            "B1: {",
            "B1: {adapter: {kind: lora, rank: 8, targets: [query, q_proj]}, ",
            "conditions.B1.adapter.targets",
        ),
    ],
)
def test_a_target_that_no_block_has_is_named_where_it_was_given(
    tmp_path: Path, old: str, new: str, field: str
) -> None:
    assert expand(
        load(tmp_path, SMOKE.replace(old, new.replace("query", "v_proj"), 1)), local_environment()
    )
    with pytest.raises(
        ManifestError,
        match=f"^manifest mine: field {field}: found query, which no block of tiny-qwen2",
    ):
        expand(load(tmp_path, SMOKE.replace(old, new, 1)), local_environment())


def test_images_of_the_lock_are_those_a_manifest_may_name() -> None:
    assert {"local", *load_locks().images} == {"local", *get_args(BuiltImage)}


def test_a_list_is_not_a_manifest(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="expected a mapping"):
        load(tmp_path, "- a\n- b\n")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("probe_set: factorial_48", "probe_set: {}", "probe_set"),
        ("domains:", "also_probe_sets: [{}]\ndomains:", r"also_probe_sets\.0"),
        (
            "training:",
            "  X: {{title: x, phases: [{{steps: 6, mixture: {{code: 1.0}}}}], csr: "
            "{{strength: 1}}}}\n"
            "training:\n  csr: {{every: 6, probe_set: {}}}",
            r"training\.csr\.probe_set",
        ),
    ],
)
def test_a_missing_probe_set_is_named_with_manifest_and_field(
    tmp_path: Path, old: str, new: str, field: str
) -> None:
    there, absent = (
        load(tmp_path, SMOKE.replace(old, new.format(name), 1)) for name in ("core_60", "core_61")
    )
    assert expand(there, local_environment())
    with pytest.raises(
        ManifestError,
        match=f"^manifest mine: field {field}: no probe set 'core_61': expected one of",
    ):
        expand(absent, local_environment())


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
    seeds = {
        (run.model.id, run.condition_id): [] for run in expand(experiment, local_environment())
    }
    for run in expand(experiment, local_environment()):
        seeds[run.model.id, run.condition_id].append(run.seed)
    assert seeds == {
        ("qwen2.5-coder-7b", "B3"): [42, 0, 1],
        ("qwen2.5-coder-14b", "B3"): [42, 0, 1],
        ("qwen2.5-coder-32b", "B3"): list(range(8)),
        ("qwen2.5-coder-32b", "B2"): list(range(8)),
    }


TWINS = [name for name in experiment_names() if name.endswith("_laptop")]


def twin_runs(*names: str) -> list[Run]:
    return [
        run
        for name in names
        for run in expand(load_experiment(f"{name}_laptop"), local_environment())
    ]


def test_the_twins_cover_every_condition_strength_chain_and_adapter_of_the_papers() -> None:
    runs = twin_runs("dynamics", "companions", "csr_lambda", "reversibility", "scale_ladder")
    assert {f"B{number}" for number in range(7)} <= {run.condition_id for run in runs}
    penalties = {
        (run.condition.csr.strength, run.condition.csr.gradient)
        for run in runs
        if run.condition.csr
    }
    assert penalties == {
        (strength, gradient)
        for strength in (0.03, 0.1, 0.3)
        for gradient in ("attached", "detached")
    }
    assert {run.parent.slot for run in runs if run.parent} == {
        "smollm2-135m-B3-s0",
        "smollm2-135m-B3-s1",
    }
    trained = [run.training.trained for run in runs if run.steps]
    assert {each.kind for each in trained} == {"lora", "full", "block_diagonal"}
    groupings = {each.grouping for each in trained if isinstance(each, BlockDiagonal)}
    assert groupings == {"aligned", "isolated"}
    rungs = {run.model.id for run in twin_runs("scale_ladder")}
    assert rungs == {"qwen2.5-coder-0.5b-instruct", "qwen2.5-coder-1.5b-instruct"}


@pytest.mark.parametrize(
    ("name", "runs"),
    [
        ("dynamics", 7),
        ("companions", 7),
        ("csr_lambda", 6),
        ("reversibility", 4),
        ("scale_ladder", 3),
    ],
)
def test_a_twin_plans_the_runs_it_is_meant_to(name: str, runs: int) -> None:
    assert len(twin_runs(name)) == runs


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_needs_no_gpu_and_no_hub(name: str) -> None:
    experiment = load_experiment(name)
    assert experiment.image == "local"
    for run in expand(experiment, local_environment()):
        assert run.model.weights.kind != "hub"
        assert all(
            source.data.kind != "hub" for sources in run.domains.values() for source in sources
        )


def test_a_twin_keeps_the_protocol_but_for_what_it_scales() -> None:
    scaled = {
        "optimizer.warmup", "csr.every", "csr.probe_set", "max_length", "accumulation", "checkpoint_every", "heldout",
        "gradient_checkpointing", "tokens_per_forward", "dequantise",
    }  # fmt: skip
    for name in ("dynamics", "companions", "csr_lambda", "reversibility", "scale_ladder"):
        ours, theirs = (
            load_experiment(each).training.model_dump() for each in (f"{name}_laptop", name)
        )
        changed = {line.split(":")[0] for line in differences(theirs, ours)}
        assert changed <= scaled, name


def test_the_frontier_states_the_future_work_of_the_papers() -> None:
    runs = expand(load_experiment("frontier"), local_environment())
    seeds: dict[tuple[str, str], list[int | None]] = {}
    for run in runs:
        seeds.setdefault((run.model.id, run.condition_id), []).append(run.seed)
    assert seeds["qwen2.5-coder-32b", "B3"] == list(range(8))
    assert len(seeds["qwen2.5-coder-14b", "B3-B2"]) == 5
    assert set(seeds["qwen2.5-coder-14b", "B3-B2"]) > {42, 0, 1}
    assert ("llama-3.1-8b", "B3") in seeds
    closely = next(run for run in runs if run.condition_id == "B3").measured_steps()
    assert [step for step in closely if 1500 <= step <= 3500] == list(range(1500, 3501, 100))
    assert [step for step in closely if step < 1500 or step > 3500] == [
        0,
        500,
        1000,
        4000,
        4500,
        5000,
    ]
    assert {run.training.trained.kind for run in runs if "aligned" in run.condition_id} == {
        "block_diagonal"
    }


@pytest.mark.parametrize(
    ("diagnostics", "expected"),
    [
        ("{also: [attention_entropy]}", "attention_entropy, which reads held-out texts"),
        ("{attention: {lengths: [16, 24, 32]}}", "24, which is no power of two"),
        ("{attention: {lengths: [16, 32]}}", "give three or more"),
        ("{attention: {lengths: [32, 16, 64]}}", "each once, rising"),
    ],
)
def test_texts_that_attention_cannot_be_read_on_are_refused(
    tmp_path: Path, diagnostics: str, expected: str
) -> None:
    text = (MANIFESTS / "smoke.yaml").read_text()
    mine = tmp_path / "mine.yaml"
    kept = [
        line
        for line in text.splitlines()
        if not line.startswith("diagnostics:") and "heldout" not in line
    ]
    mine.write_text("\n".join([*kept, f"diagnostics: {diagnostics}"]))
    with pytest.raises(ManifestError, match=expected):
        load_experiment(str(mine))


def test_the_full_length_on_small_models_is_the_papers_protocol() -> None:
    """What decides numbers is that of the ladder; the rest is memory, speed, and held-out texts."""
    small, papers = load_experiment("smollm_full"), load_experiment("scale_ladder")
    ours = {"tokens_per_forward", "dequantise", "gradient_checkpointing", "heldout"}
    given, printed = (one.training.model_dump(exclude=ours) for one in (small, papers))
    assert given == printed
    assert small.training.sequences_per_step == 16
    assert {condition.steps for condition in small.conditions.values()} == {5000}
    assert small.conditions["B3"].phases == papers.conditions["B3"].phases
    assert small.diagnostics.every == papers.diagnostics.every
    assert small.twin_of == "scale_ladder"
