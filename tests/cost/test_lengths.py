"""Texts are as long as those that are fetched; a mixed batch stands in for them until then."""

import json
from pathlib import Path

import pytest

from repro.cost.lengths import CHARACTERS, MIXED, step_lengths
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.plan.texts import texts_file


@pytest.fixture(scope="module")
def run() -> Run:
    """70 % code, 30 % natural language, a source each."""
    runs = expand(load_experiment("laptop"), local_environment())
    return next(run for run in runs if run.condition_id == "B3")


def bring(run: Run, cache: Path, **tokens: int) -> None:
    """Put texts of so many tokens into the cache, by domain."""
    for domain, long in tokens.items():
        for source in run.domains[domain]:
            file = texts_file(cache, source, run.environment.texts)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{json.dumps('x' * int(long * CHARACTERS))}\n" * 5)


def test_a_mixed_batch_stands_in(run: Run, tmp_path: Path) -> None:
    assert step_lengths(run) == [[*MIXED]]
    assert step_lengths(run, tmp_path) == [[*MIXED]]
    fewer = run.training.model_copy(update={"accumulation": 4})
    (four,) = step_lengths(run.model_copy(update={"training": fewer}))
    assert len(four) == 4
    assert 0.8 < sum(four) / 4 / (sum(MIXED) / 16) < 1.2


def test_fetched_texts_count_in_the_shares_of_the_mixture(run: Run, tmp_path: Path) -> None:
    """One source of two is not enough; a domain that the condition does not read may be missing."""
    bring(run, tmp_path, code=100)
    assert step_lengths(run, tmp_path) == [[*MIXED]]
    bring(run, tmp_path, natural_language=500)
    drawn = [length for step in step_lengths(run, tmp_path) for length in step]
    assert set(drawn) == {101, 501}
    assert drawn.count(101) / len(drawn) == pytest.approx(0.7, abs=0.1)
    assert step_lengths(run, tmp_path) == step_lengths(run, tmp_path), "the same at each call"
