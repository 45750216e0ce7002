"""Which runs are measured block by block, and the memory that this takes."""

import pytest

from repro.cost.lengths import probe_tokens
from repro.cost.space import gibibytes
from repro.cost.walked import (
    SHARE,
    can_walk,
    needed_gibibytes,
    walked_gibibytes,
    walks,
)
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run


@pytest.fixture(scope="module")
def base() -> tuple[Run, ...]:
    """Runs that measure base models and train nothing."""
    return expand(load_experiment("base_geometry"), local_environment())


def test_memory_that_does_not_hold_the_model_is_what_makes_a_walk() -> None:
    """On a laptop of 16 GiB and one of 256; only where nothing but probes is read."""
    runs = expand(load_experiment("base_geometry"), local_environment())
    assert all(walks(run, 16) and not walks(run, 256) for run in runs)
    for run in runs:
        assert needed_gibibytes(run, 16) == walked_gibibytes(run)
        assert needed_gibibytes(run, 256) == gibibytes(run)
        limit = 10 if "32b" in run.model.id else 6
        assert walked_gibibytes(run) < limit < gibibytes(run)
    trained = expand(load_experiment("scale_ladder"), local_environment())[0]
    assert trained.steps
    assert not can_walk(trained)
    base = runs[0].model_dump()
    for change in (
        {"training": {**base["training"], "heldout": 4}},
        {"diagnostics": {**base["diagnostics"], "also": ["attention_entropy"]}},
        {"environment": {**base["environment"], "device": "cuda"}},
    ):
        assert can_walk(runs[0])
        assert not can_walk(Run.model_validate(base | change)), change


def test_a_model_that_takes_half_of_the_memory_is_loaded_whole_and_one_that_takes_more_is_not(
    base: tuple[Run, ...],
) -> None:
    run = base[0]
    enough = gibibytes(run) / SHARE
    assert not walks(run, enough * 1.001)
    assert walks(run, enough * 0.999)


def test_where_a_block_takes_more_than_the_model_nothing_is_gained() -> None:
    smoke = expand(load_experiment("smoke"), local_environment())
    given = next(run for run in smoke if run.slot == "tiny-mistral-B0").model_dump()
    tiny = Run.model_validate({**given, "training": {**given["training"], "heldout": 0}})
    assert can_walk(tiny)
    assert walked_gibibytes(tiny) > gibibytes(tiny)
    assert needed_gibibytes(tiny, 0.001) == gibibytes(tiny)


def test_what_a_walk_holds_grows_with_its_probes_and_hardly_with_its_layers(
    base: tuple[Run, ...],
) -> None:
    run = base[0]
    shape = run.model.architecture
    deeper = shape.model_copy(update={"layers": 2 * shape.layers})
    twice = run.model_copy(update={"model": run.model.model_copy(update={"architecture": deeper})})
    assert gibibytes(twice) > 1.5 * gibibytes(run)
    assert walked_gibibytes(twice) < 1.05 * walked_gibibytes(run)
    longer = run.model_copy(update={"also_probe_sets": {"core_60": "0"}})
    more = probe_tokens(longer) - probe_tokens(run)
    assert more > 0
    held = (walked_gibibytes(longer) - walked_gibibytes(run)) * 2**30
    assert held == pytest.approx(4 * more * shape.hidden * 4)
