"""A run is named by what can change its numbers, and by nothing else."""

import pytest

from repro.manifest.experiment import Diagnostics, Window
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run, differences


@pytest.fixture
def run() -> Run:
    return expand(load_experiment("smoke"), local_environment())[1]


def changed(run: Run, **update: object) -> Run:
    return Run.model_validate({**run.model_dump(), **update})


def test_titles_and_the_manifests_name_change_nothing(run: Run) -> None:
    renamed = changed(
        run,
        experiment="other",
        condition_id="C1",
        condition={**run.condition.model_dump(), "title": "x"},
        model={**run.model.model_dump(), "title": "x"},
    )
    assert renamed.id == run.id


@pytest.mark.parametrize(
    ("update", "field"),
    [
        ({"seed": 99}, "seed"),
        ({"probe_hash": "0" * 64}, "probe_hash"),
        ({"threads": 2}, "threads"),
    ],
)
def test_whatever_can_change_the_numbers_changes_the_name_and_is_named(
    run: Run, update: dict[str, object], field: str
) -> None:
    other = changed(run, **update)
    assert other.id != run.id
    assert any(line.startswith(f"{field}: ") for line in differences(run.key(), other.key()))


def test_a_changed_file_is_told_by_its_digest(run: Run) -> None:
    """The difference lies deep in a list of sources; only what differs is told, and each further
    item.
    """
    data = {"kind": "file", "path": "x.jsonl", "sha256": "0" * 64}
    old, new = (
        changed(
            run, domains={"code": [{"id": "mine", "data": data | {"sha256": sha}}, *more]}
        ).key()
        for sha, more in (
            ("0" * 64, ()),
            ("1" * 64, ({"id": "more", "data": {"kind": "python_topics"}},)),
        )
    )
    lines = differences(old, new)
    assert lines[0] == f"domains.code.0.data.sha256: {'0' * 37}… → {'1' * 37}…"
    assert [line.split(":")[0] for line in lines] == [
        "domains.code.0.data.sha256",
        "domains.code.1",
    ]
    assert lines[1].startswith("domains.code.1: (absent) → {'data': {'kind': 'python_topics'")
    assert differences(old, old) == []


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("short", "other", "x: short → other"),
        ("a" * 60, "b" * 60, f"x: {'a' * 37}… → {'b' * 37}…"),
        ("a" * 50 + "1", "a" * 50 + "2", f"x: …{'a' * 10}1 → …{'a' * 10}2"),
        ("a" * 50, "a" * 50 + "2", f"x: …{'a' * 10} → …{'a' * 10}2"),
        ("1", 1, "x: '1' → 1"),
    ],
)
def test_two_values_are_never_told_alike(old: object, new: object, told: str) -> None:
    assert differences({"x": old}, {"x": new}) == [told]


def with_training(run: Run, **update: object) -> Run:
    return changed(run, training={**run.training.model_dump(), **update})


def test_settings_of_csr_name_a_run_that_has_it_and_no_other(run: Run) -> None:
    """Two protocols that differ in CSR alone are one for a run without it."""
    settings = {"variance": 0.5, "every": 7, "probe_set": "core_60"}
    assert with_training(run, csr=settings).id == run.id
    held = changed(run, condition={**run.condition.model_dump(), "csr": {"strength": 0.1}})
    assert held.id != run.id
    other = with_training(held, csr=settings)
    assert other.id != held.id
    assert "training.csr.every: 50 → 7" in differences(held.key(), other.key())


def test_a_rank_names_a_run_that_trains_with_it_and_no_other(run: Run) -> None:
    """Not one that trains nothing, nor one with another adapter."""
    lora = {**run.training.lora.model_dump(), "rank": 3}
    assert with_training(run, lora=lora).id != run.id
    base = changed(run, condition={**run.condition.model_dump(), "phases": ()}, seed=None)
    assert with_training(base, lora=lora).id == base.id
    full = with_training(run, adapter={"kind": "full"})
    assert full.id != run.id
    assert changed(full, training={**full.training.model_dump(), "lora": lora}).id == full.id


def test_a_run_read_back_from_json_has_the_same_name(run: Run) -> None:
    assert Run.model_validate_json(run.model_dump_json()).id == run.id


def test_the_first_and_last_steps_are_always_measured(run: Run) -> None:
    diagnostics = run.diagnostics.model_copy(update={"every": 4})
    assert changed(run, diagnostics=diagnostics).measured_steps() == [0, 4, 6]


def test_a_window_is_measured_more_closely_as_far_as_the_run_goes(run: Run) -> None:
    closely = Diagnostics(every=4, window=Window(start=1, stop=8, every=2))
    assert changed(run, diagnostics=closely).measured_steps() == [0, 1, 3, 4, 5, 6]
    inside = Diagnostics(every=4, window=Window(start=1, stop=2, every=5))
    assert changed(run, diagnostics=inside).measured_steps() == [0, 1, 2, 4, 6]


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ValueError, match="is empty; let stop be the later step"):
        Window(start=8, stop=8, every=2)
