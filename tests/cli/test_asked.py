"""Which runs a verb is asked about: those that --only names, where they would be carried out."""

import argparse
import io
from pathlib import Path

import pytest

from repro.claims.papers import load_claims
from repro.cli.asked import (
    cards_of,
    choice_of,
    chosen_runs,
    matching,
    places_of,
    runs_of,
    tell_settings,
)
from repro.errors import InputError, ManifestError
from repro.execute.folders import place_runs
from repro.manifest.load import MANIFESTS, load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def smoke() -> tuple[Run, ...]:
    return expand(load_experiment("smoke"), local_environment())


def given(only: str | None, **fields: object) -> argparse.Namespace:
    plain = {"name": "smoke", "runner": "local", "other_packages": False, "base": False}
    return argparse.Namespace(**{**plain, "only": only, "results": None, **fields})


def test_only_is_a_pattern_of_run_names(smoke: tuple[Run, ...]) -> None:
    slots = [run.slot for run in smoke]
    assert matching(given(None), smoke) == list(smoke)
    assert matching(given("*"), smoke) == list(smoke)
    base = [run.slot for run in matching(given("*-B0"), smoke)]
    assert base == [slot for slot in slots if slot.endswith("-B0")]
    assert 0 < len(base) < len(slots)
    assert [run.slot for run in matching(given(slots[3]), smoke)] == [slots[3]]


@pytest.mark.parametrize(
    ("only", "words"),
    [
        (
            "tiny-qwen-B0",
            "--only tiny-qwen-B0: no run of smoke matches; nearest is tiny-qwen2-B0; runs are ",
        ),
        ("", r"--only \(nothing\): no run of smoke matches"),
        ("B0", "`repro plan smoke` lists them"),
    ],
)
def test_a_pattern_that_names_no_run_is_refused_with_the_nearest(
    smoke: tuple[Run, ...], only: str, words: str
) -> None:
    with pytest.raises(InputError, match=words):
        matching(given(only), smoke)


def test_places_are_those_of_the_chosen_runs(smoke: tuple[Run, ...], tmp_path: Path) -> None:
    places = place_runs(smoke, tmp_path)
    chosen = chosen_runs(given("*-B0"), places)
    assert [place.run.slot for place in chosen] == [
        run.slot for run in matching(given("*-B0"), smoke)
    ]
    asked = places_of(given(None, results=str(tmp_path)))
    assert [place.run.slot for place in asked] == [run.slot for run in smoke]
    assert {place.state for place in asked} == {"new"}


def test_the_base_models_are_those_that_runs_start_from(smoke: tuple[Run, ...]) -> None:
    """Each once, however many runs start from it; nothing of them is trained."""
    base = runs_of("scale_ladder", "local", base=True)
    models = {run.model.id for run in runs_of("scale_ladder", "local")}
    assert sorted(run.model.id for run in base) == sorted(models)
    assert {run.steps for run in base} == {0}
    with pytest.raises(ManifestError, match="no such manifest"):
        runs_of("nothing_of_that_name", "local")
    assert [run.slot for run in runs_of("smoke", "local")] == [run.slot for run in smoke]


def test_a_runner_that_is_named_is_taken_and_a_cluster_has_its_own_cards() -> None:
    assert choice_of("smoke", "local").kind == "local"
    assert cards_of("smoke", "slurm") == []


def test_settings_that_a_manifest_lacks_are_named_before_it_runs(tmp_path: Path) -> None:
    """The ladder as it comes has all of its paper's; one of another rank says so, a line each."""
    text = (MANIFESTS / "scale_ladder.yaml").read_text()
    assert "rank: 64 " in text
    (tmp_path / "scale_ladder.yaml").write_text(text.replace("rank: 64 ", "rank: 16 "))
    said = []
    for name in ("scale_ladder", str(tmp_path / "scale_ladder.yaml")):
        places = place_runs(expand(load_experiment(name), local_environment()), tmp_path)
        stream = io.StringIO()
        tell_settings(name, places, load_claims(), stream)
        said.append(stream.getvalue())
    assert said[0] == ""
    (line,) = said[1].splitlines()
    assert line.startswith("differs from the paper: scale_ladder sets lora_rank to 16")
