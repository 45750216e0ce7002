"""Where results and models lie, and what there is of a run already."""

import json
import os
import shutil
import stat
from pathlib import Path

import pytest

from repro.errors import EvidenceError, InputError, SetupError
from repro.evidence.folder import RunFolder
from repro.evidence.request import read_request
from repro.execute.folders import (
    by_name,
    cache_folder,
    find_run,
    passing_cache,
    place_run,
    place_runs,
    prepare,
    results_folder,
    results_to_read,
)
from repro.manifest.load import load_experiment
from repro.manifest.probes import load_probe_set
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run


@pytest.fixture(scope="module")
def run() -> Run:
    """A trained run of smoke."""
    return next(run for run in expand(load_experiment("smoke"), local_environment()) if run.steps)


def test_results_are_where_the_option_says_else_the_variable_else_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("REPRO_RESULTS", raising=False)
    assert results_folder(None).absolute() == tmp_path / "results"
    monkeypatch.setenv("REPRO_RESULTS", str(tmp_path / "mine"))
    assert results_folder(None) == tmp_path / "mine"
    assert results_folder(str(tmp_path / "given")) == tmp_path / "given"


def test_a_folder_to_read_has_to_be_there_only_where_it_was_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_RESULTS", str(tmp_path / "none"))
    assert results_to_read(None) == tmp_path / "none", "nothing has been run yet"
    assert results_to_read(str(tmp_path)) == tmp_path
    with pytest.raises(InputError, match=r"^--results \S+gone: found no such folder; correct it"):
        results_to_read(str(tmp_path / "gone"))


def test_a_command_that_can_do_without_the_cache_gets_a_folder_that_passes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is no home to have one in; a cache that can be made is taken."""
    monkeypatch.setenv("REPRO_CACHE", str(tmp_path / "cache"))
    assert passing_cache() == cache_folder() == tmp_path / "cache"
    monkeypatch.setenv("REPRO_CACHE", "~nobody-of-this-name/cache")
    with pytest.raises(SetupError, match="REPRO_CACHE"):
        cache_folder()
    passing = passing_cache()
    assert passing.is_dir()
    assert passing == passing_cache()
    assert stat.S_IMODE(passing.stat().st_mode) == 0o700


def test_a_run_is_new_then_unfinished_then_finished(run: Run, tmp_path: Path) -> None:
    place = place_run(run, tmp_path)
    assert (place.state, place.changes) == ("new", ())
    assert place.folder.path == tmp_path / "runs" / "smoke" / run.folder
    folder = prepare(place, "a seal")
    assert place_run(run, tmp_path).state == "unfinished"
    request = read_request(folder.path)
    assert (request.id, request.seal) == (run.id, "a seal")
    probes = (folder.path / run.probe_file(run.probe_set)).read_text(encoding="utf-8")
    assert probes == load_probe_set(run.probe_set).model_dump_json()
    folder.finish("done")
    assert place_run(run, tmp_path).state == "finished"
    before = (folder.path / "run.json").stat().st_mtime_ns
    assert prepare(place_run(run, tmp_path), "another") == folder
    assert (folder.path / "run.json").stat().st_mtime_ns == before, "what is there is kept"


def test_a_run_whose_inputs_changed_says_which(run: Run, tmp_path: Path) -> None:
    """Compared with the newest of the same name for readers."""
    for seconds, threads in ((10, 3), (20, 5)):
        older = run.model_copy(update={"threads": threads})
        path = prepare(place_run(older, tmp_path)).path / "run.json"
        os.utime(path, (seconds, seconds))
    place = place_run(run, tmp_path)
    assert (place.state, place.changes) == ("changed", (f"threads: 5 → {run.threads}",))
    assert place.folder.path.name == run.folder
    other = run.model_copy(update={"seed": 99})
    assert place_run(other, tmp_path).state == "new", "its name for readers is another"


def test_a_damaged_folder_is_named_and_not_prepared(run: Run, tmp_path: Path) -> None:
    folder = prepare(place_run(run, tmp_path))
    (folder.path / "run.json").write_text("{")
    (place,) = place_runs([run], tmp_path)
    assert place.state == "damaged"
    (fault,) = place.changes
    assert f"{folder.path}/run.json" in fault
    with pytest.raises(EvidenceError) as refused:
        prepare(place)
    assert str(refused.value) == fault


def test_only_a_deep_look_reads_every_byte(run: Run, tmp_path: Path) -> None:
    folder = prepare(place_run(run, tmp_path))
    folder.finish("done")
    probes = folder.path / run.probe_file(run.probe_set)
    probes.write_text(probes.read_text(encoding="utf-8") + " ", encoding="utf-8")
    assert [place.state for place in place_runs([run], tmp_path, deep=True)] == ["damaged"]


def test_a_run_belongs_to_no_manifest_and_stays_where_it_was_made(run: Run, tmp_path: Path) -> None:
    """One that another manifest has finished counts before one's own that is not."""
    theirs = run.model_copy(update={"experiment": "theirs"})
    folder = prepare(place_run(theirs, tmp_path))
    assert place_run(run, tmp_path).folder == folder
    assert place_run(run, tmp_path).state == "unfinished"
    own = tmp_path / "runs" / "smoke" / run.folder
    shutil.copytree(folder.path, own)
    content = json.loads((own / "run.json").read_text())
    content["run"]["experiment"] = "smoke"
    (own / "run.json").write_text(json.dumps(content))
    assert place_run(run, tmp_path).folder == RunFolder(own)
    folder.finish("done")
    assert place_run(run, tmp_path).folder == folder
    assert place_run(run, tmp_path).state == "finished"


def test_a_copy_of_a_run_elsewhere_does_not_count(run: Run, tmp_path: Path) -> None:
    folder = prepare(place_run(run.model_copy(update={"experiment": "theirs"}), tmp_path))
    copied = tmp_path / "runs" / "copies" / folder.path.name
    copied.parent.mkdir()
    folder.path.rename(copied)
    own = tmp_path / "runs" / "smoke" / run.folder
    assert by_name(tmp_path) == {run.id[:12]: [copied]}
    assert find_run(run.id, own, by_name(tmp_path)) == own
