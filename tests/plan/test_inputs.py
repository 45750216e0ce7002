"""Every input is in a run's name, and nothing else is."""

from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pytest
from pydantic import BaseModel

from repro.manifest.adapters import BlockDiagonal, Full, Lora
from repro.manifest.data import HubDataset, LocalFile, Source
from repro.manifest.experiment import Diagnostics, Window
from repro.manifest.load import load_experiment, load_models
from repro.manifest.training import Condition, Penalty, Phase, Training
from repro.plan.editions import Edition
from repro.plan.environment import local_environment
from repro.plan.expand import expand
from repro.plan.named import FIRST, SILENT, inputs
from repro.plan.run import Parent, Run

HUB = HubDataset(
    repository="a/b",
    revision="0" * 40,
    configurations=("x",),
    files=("y",),
    records=3,
    template="{text}",
)
FILE = LocalFile(path="a.jsonl", sha256="0" * 64, only={"language": "en"})
SECTIONS = ("model", "condition", "training", "diagnostics", "domains")


@pytest.fixture(scope="module")
def run() -> Run:
    """A trained run that reads every setting of its protocol."""
    return whole()


def whole() -> Run:
    first = expand(load_experiment("smoke"), local_environment())[1]
    condition = Condition(
        title="t",
        phases=(Phase(steps=4, mixture={"code": 0.7, "math": 0.3}),),
        csr=Penalty(strength=0.1),
    )
    update = {
        "condition": condition,
        "diagnostics": Diagnostics(
            every=2, window=Window(start=1, stop=3, every=1), also=("interval",)
        ),
        "domains": {
            "code": (Source(id="one", data=FILE), Source(id="two", data=HUB)),
            "math": (Source(id="m", data=HUB),),
        },
        "also_probe_sets": {"core_60": "1" * 64},
        "csr_probe_hash": "2" * 64,
        "parent": Parent(id="3" * 64, slot="before"),
    }
    return altered(first, **update)


def altered(run: Run, **update: Any) -> Run:
    """The run with other fields; a plain copy would keep the name it had."""
    return type(run).model_construct(**{**dict(run), **update})


def others(value: Any, annotation: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(path, the same value with one thing changed) for everything below it."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            for where, changed in others(getattr(value, name), field.annotation, f"{path}.{name}"):
                yield where, value.model_copy(update={name: changed})
    elif isinstance(value, dict):
        yield path, {**value, "another": next(iter(value.values()))}
        for key, part in value.items():
            yield from (
                (where, {**value, key: changed})
                for where, changed in others(part, None, f"{path}.*")
            )
    elif isinstance(value, tuple):
        yield path, value[:-1]
        for at, part in enumerate(value[:1]):
            for where, changed in others(part, None, f"{path}[]"):
                yield where, (*value[:at], changed, *value[at + 1 :])
    elif isinstance(value, bool):
        yield path, not value
    elif get_origin(annotation) is Literal and len(get_args(annotation)) > 1:
        yield path, next(choice for choice in get_args(annotation) if choice != value)
    elif isinstance(value, int | float):
        yield path, value + 1
    elif isinstance(value, str):
        yield path, f"{value[:-1]}{'1' if value[-1:] != '1' else '2'}"
    elif value is None:
        yield path, "1" * 40


def every_change() -> list[tuple[str, str, Any]]:
    found = whole()
    return [
        (where, section, changed)
        for section in SECTIONS
        for where, changed in others(getattr(found, section), None, section)
    ]


CHANGES = every_change()


@pytest.mark.parametrize(
    ("where", "section", "changed"), CHANGES, ids=[where for where, _, _ in CHANGES]
)
def test_every_field_of_the_manifest_is_in_the_name_unless_it_decides_no_number(
    run: Run, where: str, section: str, changed: Any
) -> None:
    other = altered(run, **{section: changed})
    assert (other.id == run.id) == (where in SILENT)


def test_the_changes_reach_the_whole_protocol() -> None:
    """A positive control of the list above."""
    reached = {where for where, _, _ in CHANGES}
    assert {"training.optimizer.beta2", "training.csr.variance", "condition.phases[].mixture.*", "model.weights.seed",
            "diagnostics.window.stop", "domains.*[].data.records", "domains.*[].data.only.*"} <= reached  # fmt: skip
    assert len(reached) > 60


@pytest.mark.parametrize(
    "update",
    [
        {"seed": 9}, {"seed": None}, {"threads": 2}, {"probe_hash": "9" * 64}, {"also_probe_sets": {"core_60": "9" * 64}},
        {"csr_probe_hash": "9" * 64}, {"parent": None}, {"parent": Parent(id="9" * 64, slot="before")},
    ],
    ids=str,
)  # fmt: skip
def test_seed_threads_probes_and_parent_are_in_the_name(run: Run, update: dict[str, Any]) -> None:
    assert altered(run, **update).id != run.id


@pytest.mark.parametrize(
    ("update", "named"),
    [
        ({"device": "cuda"}, True),
        ({"edition": {"code": 2, "packages": 1}}, True),
        ({"edition": {"code": 1, "packages": 2}}, True),
        ({"other_packages": {"peft": "0.21.1"}}, True),
        ({"texts": "python 3.99.0"}, True),
        ({"image": "0" * 64}, False),
        ({"lock": "another"}, False),
        ({"python": "3.99.0"}, False),
        ({"machine": "arm64"}, True),
        ({"pins": {"torch": "9"}}, False),
    ],
    ids=str,
)
def test_of_the_environment_device_edition_and_departures_are_in_the_name(
    update: dict[str, Any], named: bool
) -> None:
    run = expand(load_experiment("smoke"), local_environment())[1]
    environment = type(run.environment).model_validate({**run.environment.model_dump(), **update})
    assert (altered(run, environment=environment).id != run.id) == named


def test_a_gpus_run_is_not_named_by_the_processor_beside_it() -> None:
    run = expand(load_experiment("smoke"), local_environment("cuda"))[1]
    beside = run.environment.model_copy(update={"machine": "arm64"})
    assert altered(run, environment=beside).id == run.id


def test_the_interpreters_texts_are_in_no_name_of_a_run_that_reads_none(run: Run) -> None:
    elsewhere = run.environment.model_copy(update={"texts": "python 3.99.0"})
    trained = altered(run, model=load_models()["qwen2.5-coder-7b"])
    assert altered(trained, environment=elsewhere).id == trained.id
    assert altered(run, environment=elsewhere).id != run.id, "its tokenizer is made of them"


@pytest.mark.parametrize(
    "update",
    [
        {"experiment": "other"}, {"condition_id": "C1"}, {"probe_set": "another"}, {"probe_folders": {"a": "/b"}},
        {"parent": Parent(id="3" * 64, slot="another", depth=5)},
    ],
    ids=str,
)  # fmt: skip
def test_names_and_places_are_not_in_the_name(run: Run, update: dict[str, Any]) -> None:
    assert altered(run, **update).id == run.id


def test_the_order_of_a_mapping_is_not_in_the_name(run: Run) -> None:
    mixed = Phase(steps=4, mixture={"math": 0.3, "code": 0.7})
    turned = {
        "condition": run.condition.model_copy(update={"phases": (mixed,)}),
        "domains": dict(reversed(run.domains.items())),
    }
    assert altered(run, **turned).id == run.id


class Later(Training):
    """The protocol with a field that somebody adds later."""

    noise: float = 0.0


class LaterScores(Run):
    """A run with something that is done after training."""

    scores: tuple[str, ...] = ()


def test_a_field_that_is_added_later_renames_no_run_until_it_is_used(run: Run) -> None:
    later = altered(run, training=Later(**run.training.model_dump()))
    assert later.id == run.id
    used = altered(run, training=Later(**run.training.model_dump(), noise=0.5))
    assert used.id != run.id
    assert used.key()["training"]["noise"] == 0.5


def test_packing_is_in_the_name_of_a_run_that_asks_for_it_and_reads_texts(run: Run) -> None:
    packed = altered(run, training=run.training.model_copy(update={"packing": "packed"}))
    assert "packing" not in run.key()["training"]
    assert packed.id != run.id
    assert packed.key()["training"]["packing"] == "packed"
    untrained = run.condition.model_copy(update={"phases": ()})
    alone, packed_alone = (
        altered(
            one,
            condition=untrained,
            training=one.training.model_copy(update={"heldout": 0}),
        )
        for one in (run, packed)
    )
    assert alone.id == packed_alone.id


def test_kernels_are_in_the_name_of_a_run_that_asks_for_others_and_trains(run: Run) -> None:
    counted = altered(run, training=run.training.model_copy(update={"kernels": "counted"}))
    assert "kernels" not in run.key()["training"]
    assert counted.id != run.id
    assert counted.key()["training"]["kernels"] == "counted"
    untrained = run.condition.model_copy(update={"phases": ()})
    assert altered(run, condition=untrained).id == altered(counted, condition=untrained).id


def test_what_is_done_after_training_is_never_in_the_name(run: Run) -> None:
    scored = LaterScores.model_construct(**{**dict(run), "scores": ("humaneval",)})
    assert scored.scores
    assert scored.id == run.id


@pytest.mark.parametrize(
    "adapter", [Lora(), Full(), BlockDiagonal(grouping="aligned")], ids=lambda a: a.kind
)
def test_no_field_of_today_is_left_out_because_of_its_default(
    run: Run, adapter: Lora | Full | BlockDiagonal
) -> None:
    """Fields that the first names hold are listed; one that is in neither list is new, and needs a
    default.
    """
    training = run.training.under(run.condition.model_copy(update={"adapter": adapter}))
    later = {
        "domains.*[].data.records",
        "training.kernels",
        "training.packing",
        *(f"diagnostics.attention{end}" for end in ("", ".lengths", ".windows")),
    }
    known = {*FIRST, *SILENT, *later}
    for section, record in (
        ("model", run.model),
        ("training", training),
        ("diagnostics", run.diagnostics),
    ):
        assert {where for where, _ in paths(record, section)} <= known
        assert inputs(record, section)


def paths(record: BaseModel, path: str) -> Iterator[tuple[str, Any]]:
    for name in type(record).model_fields:
        where, value = f"{path}.{name}", getattr(record, name)
        yield where, value
        if isinstance(value, BaseModel) and where not in SILENT:
            yield from paths(value, where)


def test_a_name_is_this() -> None:
    """A change of how names are made renames every run there is: it has to be meant, and needs
    another KEY_VERSION.
    """
    first = whole()
    elsewhere = {
        "texts": "python 3",
        "edition": Edition(code=1, packages=1),
        "other_packages": {},
        "machine": "x86_64 avx2",
    }
    environment = first.environment.model_copy(update=elsewhere)
    fixed = {
        "training": Training(),
        "probe_hash": "4" * 64,
        "seed": 0,
        "threads": 1,
        "environment": environment,
    }
    assert (
        altered(first, **fixed).id
        == "3cb110a8662bf878a8c0a4e254bfb24bdb6ce08472a1f80cb1a1ce6752b60b0d"
    )


def test_a_default_and_the_same_number_in_a_manifest_are_one(run: Run) -> None:
    """`alpha: 128` is 128.0, as the default is."""
    stated = Training.model_validate({"lora": {"alpha": 128}, "optimizer": {"clip_norm": 1}})
    assert altered(run, training=stated).id == altered(run, training=Training()).id
    assert (
        Run.model_validate_json(altered(run, training=Training()).model_dump_json()).id
        == altered(run, training=stated).id
    )
