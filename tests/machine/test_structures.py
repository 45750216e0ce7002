"""Every full-size manifest is planned, and what its runs train is found and counted on the real
architectures.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from repro.cost.fit import obstacle
from repro.errors import ManifestError
from repro.machine.structures import Wanted, dry_run, structures
from repro.manifest.adapters import ALL_LINEAR, Lora
from repro.manifest.load import MANIFESTS, load_experiment, load_models
from repro.manifest.model import HubWeights
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.plan.structure import Structure

OTHERS = ("models", "datasets", "planned", "benchmarks")


def full_size() -> list[str]:
    """Manifests of models that a hub publishes."""
    names = [path.stem for path in sorted(MANIFESTS.glob("*.yaml")) if path.stem not in OTHERS]
    return [
        name
        for name in names
        if any(isinstance(load_models()[m].weights, HubWeights) for m in _models(name))
    ]


def _models(name: str) -> list[str]:
    return [model for arm in load_experiment(name).arms for model in arm.models]


@pytest.fixture(scope="module")
def plans(cache: Path) -> Mapping[str, list[tuple[Run, Structure]]]:
    """The runs of every full-size manifest with their records, which come with the package."""
    runs = {name: expand(load_experiment(name), local_environment()) for name in full_size()}
    every = [run for planned in runs.values() for run in planned]
    built = iter(dry_run(every, cache, print))
    return {name: [(run, next(built)) for run in planned] for name, planned in runs.items()}


def test_the_papers_manifests_are_among_them() -> None:
    assert {"scale_ladder", "dynamics", "cross_architecture", "companions", "frontier"} <= set(
        full_size()
    )
    assert len(full_size()) >= 9


@pytest.mark.parametrize("name", full_size())
def test_every_run_fits_and_everything_it_trains_is_found_and_counted(plans, name: str) -> None:
    """In every block; the counts are those that plans are made with, of a block-diagonal adapter at
    most.
    """
    assert plans[name]
    for run, built in plans[name]:
        shape, trained = run.model.architecture, run.training.trained
        assert obstacle(run) is None
        assert (built.parameters, built.linear_parameters) == (
            shape.parameters,
            shape.linear_parameters,
        )
        if run.steps == 0:
            continue
        assert built.absent == ()
        planned = run.training.trained.parameters(shape)
        if trained.kind == "block_diagonal":
            assert 0 < built.adapter.parameters <= planned
        else:
            assert built.adapter.parameters == planned
        if isinstance(trained, Lora):
            assert built.adapter.matrices == 2 * shape.layers * len(trained.targets)


def test_the_32b_ladder_trains_896_matrices(plans) -> None:
    found = {
        built.adapter.matrices
        for run, built in plans["scale_ladder"]
        if run.model.id == "qwen2.5-coder-32b"
    }
    assert found == {896}


@pytest.mark.worker
def test_a_manifest_whose_target_is_not_there_is_refused(cache: Path) -> None:
    """One clear line: where, what was found, what would do."""
    (run, *_) = expand(load_experiment("smoke"), local_environment())[1:]
    wrong = run.training.lora.model_copy(update={"targets": ("q_proj", "fc1")})
    mistaken = run.model_copy(update={"training": run.training.model_copy(update={"lora": wrong})})
    assert dry_run([run], cache, print)[0].absent == ()
    with pytest.raises(
        ManifestError,
        match=r"training\.lora\.targets: found fc1, which not every block of tiny-qwen2 has",
    ):
        dry_run([mistaken], cache, print)


@pytest.mark.worker
def test_a_record_is_named_by_what_decides_it(cache: Path) -> None:
    """Rank and targets change it, dropout and learning rate do not; a damaged record is made again."""
    model, training = load_models()["tiny-llama"], load_experiment("smoke").training
    given = Wanted(model, training)

    def file(**update: object) -> Path:
        lora = training.lora.model_copy(update=update)
        return Wanted(model, training.model_copy(update={"lora": lora})).file(cache)

    assert file(dropout=0.5, alpha=3.0) == given.file(cache)
    assert file(rank=3) != given.file(cache)
    assert file(targets=ALL_LINEAR[:2]) != given.file(cache)
    (first,) = structures([given], cache, print, known={})
    given.file(cache).write_text("{")
    said: list[str] = []
    assert structures([given], cache, said.append, known={}) == [first]
    assert said, "making a record takes seconds, so it says so"
    assert structures([given], cache, pytest.fail, known={}) == [first], "reading one is silent"
