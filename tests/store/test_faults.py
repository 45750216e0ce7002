"""Edits of every kind of file: whoever looks at evidence says the same of it, and names the file."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import pytest

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.execute.folders import place_runs
from repro.execute.repair import set_aside
from repro.files import write_json
from repro.machine.clean import inventory
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.report.terminal.status import status_table
from repro.share.pull import pull_results
from repro.share.push import push_results
from repro.share.shelf import FolderShelf
from repro.store.check import compare_with_folders
from repro.store.database import connect
from repro.store.faults import GONE, fault_of, noted_folders
from repro.store.finished import finished_folders
from repro.store.ingest import build_index, ingest

Edit = Callable[[Path], object]
Finish = Callable[..., RunFolder]


def flipped(path: Path) -> None:
    """One bit of it is another."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def linked(path: Path) -> None:
    """It lies elsewhere, with the same bytes."""
    away = path.parents[-2] / f"elsewhere-{os.getpid()}-{path.name}"
    away.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(away)


EDITS: dict[str, Edit] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-3]),
    "flipped": flipped,
    "gone": lambda path: path.unlink(),
    "a link": linked,
}
FILES = (
    "run.json", "probes.json", "provenance.json", "usage.json", "steps/000003.parquet",
    "activations/000000.safetensors", "adapter/adapter_config.json", "completions/a.000003.jsonl",
    "scores/notes.json", "done.json", "done.second.json",
)  # fmt: skip
NO_FAULT = {("adapter/adapter_config.json", "gone"), ("done.second.json", "gone")}
"""Weights may be absent; without its second part a marker is what it was before there was one."""


@pytest.fixture(scope="module")
def whole(finish: Finish, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run with every kind of file, and its store."""
    results = tmp_path_factory.mktemp("whole") / "results"
    folder = finish(results, 1)
    for name in FILES[7:9]:
        (folder.path / name).parent.mkdir(exist_ok=True)
        (folder.path / name).write_text("{}\n")
    folder.finish_second(FILES[7:9])
    assert ingest(results).runs == 1
    return results


def edited(results: Path) -> RunFolder:
    """The run that is edited."""
    return RunFolder(min((results / "runs" / "smoke").iterdir()))


@contextmanager
def restored(path: Path) -> Iterator[None]:
    """Put a file back as it was, its time too."""
    data, state = path.read_bytes(), path.stat()
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))


@cache
def _runs() -> tuple[Run, ...]:
    """The runs of the manifest."""
    return expand(load_experiment("smoke"), local_environment())


def said(results: Path, deep: bool) -> dict[str, str]:
    """What each command says of the edited run; nothing where it finds no fault."""
    path = edited(results).path
    (place,) = (one for one in place_runs(_runs(), results, deep) if one.folder.path == path)
    told = {"plan, run": place.changes[0] if place.state == "damaged" else ""}
    with connect(results) as connection:
        try:
            compare_with_folders(results, connection, deep)
            told["verify"] = ""
        except EvidenceError as error:
            told["verify"] = str(error)
    if deep:
        with build_index(results) as (_, found):
            told["ingest"] = "; ".join((*found.refused, *found.told))
        told["attest, remeasure"] = "; ".join(finished_folders(results, "smoke").faults)
        shelf = FolderShelf.at(results.parent / "shelf", new=True)
        told["push"] = "; ".join(push_results(results, shelf, None, lambda _: None).refused)
        told["pull"] = "; ".join(pull_results(results, shelf, None, lambda _: None).refused)
        return told
    rows = {row[1]: row for row in status_table(results).rows}
    told["status"] = rows[path.name][3] if rows[path.name][2] == "left out" else ""
    items = [item.why for item in inventory(results, results / "cache") if item.path == path]
    told["clean"] = items[0].removeprefix("evidence")
    return told


@pytest.mark.worker
@pytest.mark.parametrize("kind", EDITS)
def test_every_command_names_an_edit_of_every_kind_of_file(whole: Path, kind: str) -> None:
    for deep in (False, True):
        assert not any(said(whole, deep).values()), "the control"
    for name in FILES:
        path = edited(whole).path / name
        with restored(path):
            EDITS[kind](path)
            for deep in (False, True):
                found = said(whole, deep)
                if (name, kind) in NO_FAULT:
                    found.pop("verify")  # it judges by a store of other files
                    assert not any(found.values()), (name, kind, found)
                    continue
                if name == "done.json" and kind == "gone":
                    found.pop("ingest", "")  # in memory there was no store before
                    # It replaces nothing that is begun, whatever it once was.
                    assert "is begun here" in found.pop("pull", "is begun here")
                line = found["plan, run"]
                assert str(edited(whole).path) in line, (name, kind, deep, found)
                assert Path(name).name in line, (name, kind, deep, found)
                assert all(line in other for other in found.values()), (name, kind, found)


def test_there_are_forty_and_more() -> None:
    assert len(EDITS) * len(FILES) - len(NO_FAULT) >= 40


@pytest.mark.worker
@pytest.mark.parametrize("name", [name for name in FILES if not name.startswith("adapter")])
def test_an_edit_whose_size_and_time_are_put_back_is_named_by_those_that_read_every_byte(
    whole: Path, name: str
) -> None:
    path = edited(whole).path / name
    with restored(path):
        state = path.stat()
        flipped(path)
        os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
        if not name.startswith("done"):  # whoever goes on to read a marker reads it
            assert not any(said(whole, deep=False).values()), "nobody looks that closely at once"
        found = said(whole, deep=True)
        assert all(path.name in line for line in found.values()), found


def test_without_a_store_a_file_younger_than_its_marker_is_looked_at(results: Path) -> None:
    (results / "repro.duckdb").unlink()
    assert noted_folders(results) == {}
    folder = edited(results)
    assert fault_of(folder.path) is None
    path = folder.path / "steps/000003.parquet"
    later = (folder.path / "done.json").stat().st_mtime_ns + 10**9
    os.utime(path, ns=(later, later))
    assert fault_of(folder.path) is None, "a copy has other times, and the same bytes"
    path.write_bytes(path.read_bytes()[:-1])
    os.utime(path, ns=(later, later))
    assert str(path) in str(fault_of(folder.path))


def test_a_file_more_is_named_and_is_no_fault(results: Path) -> None:
    path = edited(results).path / "steps/000003 (copy).parquet"
    path.write_bytes(b"x")
    assert not any(said(results, deep=True).values())
    with connect(results) as connection:
        (line,) = compare_with_folders(results, connection, deep=True).notes()
    assert line == f"{path}: no marker lists it, it changes nothing"
    assert ingest(results).unlisted == (path,)


def test_a_marker_that_is_gone_is_told_once_more_by_ingest(results: Path) -> None:
    path = edited(results).path
    (path / "done.json").unlink()
    assert ingest(results).told == (f"{path}: {GONE}",)
    assert ingest(results).told == (), "from then on it is a run that goes on"


def test_digests_that_were_made_to_fit_are_named_alike_where_the_content_is_odd(
    whole: Path,
) -> None:
    folder = edited(whole).path
    with restored(folder / "steps/000003.parquet"), restored(folder / "done.json"):
        from repro.files import file_digest

        (folder / "steps/000003.parquet").write_bytes(b"PAR1 but no more")
        marker = json.loads((folder / "done.json").read_text())
        marker["files"]["steps/000003.parquet"] = file_digest(folder / "steps/000003.parquet")
        write_json(folder / "done.json", marker)
        found = said(whole, deep=True)
        assert all("done.second.json: belongs to" in line for line in found.values()), found


def test_a_seal_that_was_edited_is_named(results: Path) -> None:
    from repro.claims.papers import load_claims
    from repro.evidence.seals import edited_seals, seal_claims

    claims = load_claims()
    seal_claims(results, claims[:1])
    seal_claims(results, claims[:2])
    first, second = sorted((results / "seals").iterdir(), key=lambda path: path.stat().st_mtime_ns)
    ingest(results)
    assert edited_seals(results) == []
    first.write_bytes(first.read_bytes() + b" ")
    found = ingest(results).told
    assert all(str(path) in line for path, line in zip(sorted((first, second)), found, strict=True))
    with connect(results) as connection:
        assert compare_with_folders(results, connection, deep=True).seals == list(found)


def test_what_is_left_of_a_damaged_run_is_set_aside_whole(results: Path) -> None:
    path = edited(results).path
    (path / "steps/000003.parquet").write_bytes(b"")
    before = {file.name: file.read_bytes() for file in path.rglob("*") if file.is_file()}
    (place,) = (one for one in place_runs(_runs(), results) if one.state == "damaged")
    aside = set_aside(place, results)
    after = {file.name: file.read_bytes() for file in aside.rglob("*") if file.is_file()}
    after.pop(".worker.lock")
    assert after == before
    assert not path.exists()
    found = ingest(results)
    assert (found.runs, found.refused) == (2, ())
    assert [x.kind for x in inventory(results, results / "c") if x.path == aside] == ["evidence"]
