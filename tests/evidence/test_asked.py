"""The list of runs that a manifest asks for: written once, read as written, refused when broken."""

import os
from pathlib import Path

import pytest

from repro.errors import EvidenceError
from repro.evidence.asked import ASKED_FOLDER, read_asked, write_asked
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run


@pytest.fixture(scope="module")
def runs() -> tuple[Run, ...]:
    """The runs of the smoke manifest."""
    return expand(load_experiment("smoke"), local_environment())


def test_the_runs_come_back_in_order_under_the_names_of_their_manifest(
    tmp_path: Path, runs: tuple[Run, ...]
) -> None:
    write_asked(tmp_path, "smoke", runs)
    write_asked(tmp_path, "other", runs[:0])
    asked = read_asked(tmp_path)
    assert [*asked] == ["other", "smoke"]
    assert asked["other"] == ()
    assert [(one.id, one.slot, one.model, one.condition, one.seed) for one in asked["smoke"]] == [
        (run.id, run.slot, run.model.id, run.condition_id, run.seed) for run in runs
    ]
    assert {None, 0} <= {one.seed for one in asked["smoke"]}


def test_a_list_that_is_up_to_date_is_not_written_again(
    tmp_path: Path, runs: tuple[Run, ...]
) -> None:
    write_asked(tmp_path, "smoke", runs)
    path = tmp_path / ASKED_FOLDER / "smoke.json"
    os.utime(path, ns=(1, 1))
    write_asked(tmp_path, "smoke", runs)
    assert path.stat().st_mtime_ns == 1
    write_asked(tmp_path, "smoke", runs[1:])
    assert path.stat().st_mtime_ns != 1
    assert len(read_asked(tmp_path)["smoke"]) == len(runs) - 1


@pytest.mark.parametrize("spoilt", ["", "[]", '{"format": 1, "manifest": "smoke"}'])
def test_what_is_no_list_is_refused_when_read_and_replaced_when_written(
    tmp_path: Path, runs: tuple[Run, ...], spoilt: str
) -> None:
    path = tmp_path / ASKED_FOLDER / "smoke.json"
    path.parent.mkdir()
    path.write_text(spoilt)
    with pytest.raises(EvidenceError, match=rf"{path}: is no list of runs; `repro run smoke`"):
        read_asked(tmp_path)
    write_asked(tmp_path, "smoke", runs)
    assert len(read_asked(tmp_path)["smoke"]) == len(runs)


def test_a_list_under_another_manifests_name_asks_for_nothing(
    tmp_path: Path, runs: tuple[Run, ...]
) -> None:
    write_asked(tmp_path, "smoke", runs)
    folder = tmp_path / ASKED_FOLDER
    (folder / "copy.json").write_bytes((folder / "smoke.json").read_bytes())
    assert [*read_asked(tmp_path)] == ["smoke"]
    assert read_asked(tmp_path / "no results yet") == {}
