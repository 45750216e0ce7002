"""Forty edits of evidence, store and seal: each is named, and no verdict changes in silence."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.files import file_digest, write_json
from repro.store.check import Compared, compare_with_folders
from repro.store.database import connect, query
from repro.store.ingest import ingest

Command = Callable[..., subprocess.CompletedProcess[str]]
Edit = Callable[[RunFolder], None]
Finish = Callable[..., RunFolder]


def compared(results: Path, deep: bool = False) -> Compared:
    """Compare a store with its evidence."""
    with connect(results) as connection:
        return compare_with_folders(results, connection, deep)


def first(results: Path) -> RunFolder:
    """One of the run folders."""
    return RunFolder(min((results / "runs" / "smoke").iterdir()))


def cut(name: str) -> Edit:
    return lambda folder: (
        (folder.path / name).write_bytes((folder.path / name).read_bytes()[:-3]) and None
    )


def grow(name: str) -> Edit:
    return lambda folder: (
        (folder.path / name).write_bytes((folder.path / name).read_bytes() + b"\n") and None
    )


def flip(name: str) -> Edit:
    def edit(folder: RunFolder) -> None:
        data = bytearray((folder.path / name).read_bytes())
        data[len(data) // 2] ^= 1
        (folder.path / name).write_bytes(data)

    return edit


def drop(name: str) -> Edit:
    return lambda folder: (folder.path / name).unlink()


def link(name: str) -> Edit:
    def edit(folder: RunFolder) -> None:
        path = folder.path / name
        path.rename(folder.path.parent.parent.parent / "elsewhere")
        path.symlink_to(folder.path.parent.parent.parent / "elsewhere")

    return edit


def pipe(name: str) -> Edit:
    def edit(folder: RunFolder) -> None:
        (folder.path / name).unlink()
        os.mkfifo(folder.path / name)

    return edit


def marker(**changes: object) -> Edit:
    def edit(folder: RunFolder) -> None:
        content = json.loads((folder.path / "done.json").read_text())
        write_json(folder.path / "done.json", {**content, **changes})

    return edit


def unlist(name: str) -> Edit:
    def edit(folder: RunFolder) -> None:
        content = json.loads((folder.path / "done.json").read_text())
        del content["files"][name]
        content["weights"] = []
        write_json(folder.path / "done.json", content)

    return edit


def linked_steps(folder: RunFolder) -> None:
    """The folder of checkpoints lies elsewhere, with the same files."""
    away = folder.path.parent.parent.parent / "steps"
    (folder.path / "steps").rename(away)
    (folder.path / "steps").symlink_to(away)


def nothing(_: RunFolder) -> None:
    """The control."""


STEP, RUN = "steps/000003.parquet", "run.json"
CHANGED: dict[str, Edit] = {
    **{
        f"{name} cut": cut(name)
        for name in (STEP, RUN, "probes.json", "provenance.json", "usage.json", "done.json")
    },
    **{
        f"{name} grown": grow(name)
        for name in (STEP, RUN, "activations/000003.safetensors", "done.json")
    },
    **{
        f"{name} flipped": flip(name)
        for name in (STEP, "steps/000000.parquet", RUN, "probes.json", "provenance.json")
    },
    **{
        f"{name} flipped": flip(name)
        for name in ("activations/000000.safetensors", "adapter/adapter_model.safetensors")
    },
    **{
        f"{name} gone": drop(name)
        for name in (STEP, RUN, "probes.json", "provenance.json", "usage.json")
    },
    **{f"{name} gone": drop(name) for name in ("activations/000000.safetensors",)},
    **{f"{name} a link": link(name) for name in (STEP, RUN, "done.json")},
    **{f"{name} a pipe": pipe(name) for name in (STEP, "provenance.json")},
    "steps a link": linked_steps,
    "marker: another status": marker(status="excellent"),
    "marker: a field more": marker(extra=1),
    "marker: files a list": marker(files=["run.json"]),
    "marker: a path outside": marker(files={"../x": "0" * 64}),
    "marker: no digest": marker(files={"run.json": "abc"}),
    "marker: another run": marker(run="0" * 64),
    "marker: no time": marker(finished="yesterday"),
    "marker: weights not listed": marker(weights=["adapter/other"]),
    "marker: run.json not listed": unlist(RUN),
}
REFUSED_BY_INGEST = {
    name: edit for name, edit in CHANGED.items() if name not in ("done.json grown",)
}


def test_there_are_forty_of_them() -> None:
    assert len(CHANGED) + 7 >= 40, "with the seven edits of store and seal below"


@pytest.mark.worker
@pytest.mark.parametrize("name", CHANGED)
def test_an_edit_of_evidence_is_named_and_leaves_the_other_runs_unharmed(
    results: Path, name: str
) -> None:
    assert compared(results).left_out == [], "the control"
    folder = first(results)
    CHANGED[name](folder)
    # the same files, at their own times
    for deep in (False, True) if name != "steps a link" else (True,):
        with pytest.raises(EvidenceError, match=folder.path.name):
            compared(results, deep)
    found = ingest(results)
    if name in REFUSED_BY_INGEST:
        assert found.runs == 2
        assert len(found.refused) == 1
        assert folder.path.name in found.refused[0]
        assert "free disk space" not in found.refused[0]
        assert compared(results).left_out == list(found.refused)
    else:
        assert found.runs == 3, "white space after a marker's JSON changes nothing"


@pytest.mark.parametrize("name", [STEP, RUN, "done.json", "adapter/adapter_config.json"])
def test_an_edit_that_puts_size_and_time_back_is_named_by_deep(results: Path, name: str) -> None:
    path = first(results).path / name
    before = path.stat()
    flip(name)(first(results))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    values = "SELECT run_id, step, quantity, value FROM measurements ORDER BY ALL"
    kept = query(results, values)
    compared(results)
    assert query(results, values) == kept, "no number changes in silence"
    with pytest.raises(EvidenceError, match=path.parent.name):
        compared(results, deep=True)


def wal(store: Path) -> None:
    """Leave a log as a killed process does: committed, not checkpointed."""
    code = (
        'import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); c.execute("SET '
        "checkpoint_threshold = '1GB'\"); "
        "c.execute(\"INSERT INTO verdicts (claim, outcome) VALUES ('x', 'reproduced')\"); "
        "os._exit(9)"
    )
    import sys

    subprocess.run([sys.executable, "-c", code, str(store)], check=False)
    assert store.with_name(store.name + ".wal").stat().st_size


def forged(store: Path) -> None:
    """Change numbers by SQL, and put size and time back."""
    before = store.stat()
    with duckdb.connect(str(store)) as connection:
        connection.execute("UPDATE measurements SET value = value * 0.1")
    os.utime(store, ns=(before.st_atime_ns, before.st_mtime_ns))


STORE: dict[str, Callable[[Path], object]] = {
    "edited by SQL": forged,
    "a log beside": wal,
    "cut": lambda store: store.write_bytes(store.read_bytes()[:-4096]),
    "no database": lambda store: store.write_bytes(b"x" * 100_000),
    "empty": lambda store: store.write_bytes(b""),
    "seal gone": lambda store: store.with_name("repro.duckdb.seal").unlink(),
    "seal of another": lambda store: store.with_name("repro.duckdb.seal").write_text(
        '{"stores": ["0"]}'
    ),
}


@pytest.mark.worker
@pytest.mark.parametrize("name", STORE)
def test_an_edited_store_is_refused_with_the_command_that_mends_it(
    repro: Command, results: Path, name: str
) -> None:
    assert repro("verify", "smoke", results=results).returncode != 2, "the control"
    STORE[name](results / "repro.duckdb")
    for verb in (["verify", "smoke"], ["verify", "smoke", "--deep"], ["verify"]):
        done = repro(*verb, results=results)
        assert done.returncode == 2, done.stdout
        assert "`repro ingest`" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
    assert repro("ingest", results=results).returncode == 0
    assert repro("verify", "smoke", results=results).returncode != 2
    assert repro("sql", "SELECT 1", results=results).stderr == ""


def test_sql_answers_from_an_edited_store_and_says_that_it_was_edited(
    repro: Command, results: Path
) -> None:
    assert repro("sql", "SELECT 1", results=results).stderr == "", "the control"
    forged(results / "repro.duckdb")
    done = repro("sql", "SELECT 1", results=results)
    assert done.returncode == 0
    assert "was edited since repro wrote it" in done.stderr


@pytest.mark.worker
def test_a_store_that_is_trusted_is_judged_and_the_output_says_so(
    repro: Command, results: Path
) -> None:
    shutil.rmtree(results / "runs")
    refused = repro("verify", "smoke", results=results)
    assert refused.returncode == 2
    assert "tiny-llama-B0" in refused.stderr or "tiny-qwen2-B0" in refused.stderr
    trusted = repro("verify", "smoke", "--trust-store", results=results)
    assert trusted.returncode != 2
    assert "the store was trusted" in trusted.stdout
    told = json.loads(repro("verify", "smoke", "--trust-store", "--json", results=results).stdout)
    assert "trusted" in told["store"]


def test_a_run_that_finished_since_is_named_until_it_is_ingested(
    results: Path, finish: Finish
) -> None:
    folder = finish(results, 3)
    with pytest.raises(EvidenceError, match=rf"{folder.path.name}: finished since"):
        compared(results)
    ingest(results)
    compared(results)


def test_finished_runs_without_a_store_are_no_empty_store(repro: Command, results: Path) -> None:
    (results / "repro.duckdb").unlink()
    done = repro("verify", "smoke", results=results)
    assert done.returncode == 2
    assert "`repro ingest`" in done.stderr
    assert repro("verify", "smoke", results=results.parent / "none").returncode == 3, "the control"


def test_a_copied_results_folder_is_no_edited_one_and_its_times_are_remembered(
    repro: Command, results: Path, tmp_path: Path
) -> None:
    shutil.copytree(results, tmp_path / "copy", copy_function=shutil.copyfile)
    os.utime(next((tmp_path / "copy").rglob("*.parquet")), ns=(1, 1))
    assert compared(tmp_path / "copy").states
    assert repro("verify", "smoke", results=tmp_path / "copy").returncode != 2
    assert compared(tmp_path / "copy").states == []


def test_absent_weights_are_told_and_are_no_fault(repro: Command, results: Path) -> None:
    shutil.rmtree(first(results).path / "adapter")
    assert compared(results).absent == 1
    assert compared(results, deep=True).absent == 1
    done = repro("ingest", results=results)
    assert done.returncode == 0
    assert "weights of 1 run are absent" in done.stderr
    assert compared(results).absent == 1
    assert compared(results).states == []
    (first(results).path / STEP).unlink()
    with pytest.raises(EvidenceError, match="found no file"):
        compared(results)


@pytest.mark.parametrize("factor", [0.1, 3.0])
@pytest.mark.parametrize(
    "name", ["000003x.parquet", "000003 (conflicted copy 2026-11-02).parquet", "._000003.parquet"]
)
def test_a_file_that_no_marker_lists_is_named_and_changes_no_number(
    repro: Command, results: Path, name: str, factor: float
) -> None:
    values = "SELECT run_id, step, quantity, value FROM measurements ORDER BY ALL"
    before = query(results, values)
    steps = first(results).path / "steps"
    rows = [
        {**row, "value": row["value"] and row["value"] * factor}
        for row in pq.read_table(steps / "000003.parquet").to_pylist()
    ]
    pq.write_table(
        pa.Table.from_pylist(rows, schema=pq.read_schema(steps / "000003.parquet")), steps / name
    )
    if name.startswith("._"):
        (steps / name).write_bytes(b"Mac OS X")
    done = repro("ingest", results=results)
    assert done.returncode == 0
    assert name in done.stderr
    assert "it changes nothing" in done.stderr
    assert query(results, values) == before


def test_a_backup_copy_is_left_out_and_the_run_itself_is_in_the_store(
    repro: Command, results: Path
) -> None:
    path = first(results).path
    shutil.copytree(path, path.with_name(path.name + "-backup"))
    (path.parent / "linked").symlink_to(path)
    done = repro("ingest", results=results)
    assert done.returncode == 3
    assert "3 runs in" in done.stdout
    assert "2 runs left out" in done.stdout
    assert "free disk space" not in done.stderr
    assert query(results, "SELECT count(*) FROM runs")[1] == [(3,)]


def test_columns_are_those_of_the_store_whichever_run_comes_first(results: Path) -> None:
    """A run that was only begun comes first, and has no provenance to infer columns from."""
    begun = first(results).path
    for name in ("done.json", "provenance.json", "usage.json"):
        (begun / name).unlink()
    shutil.rmtree(begun / "steps")
    (results / "runs" / "smoke" / "aaa").mkdir()
    found = ingest(results)
    assert (found.runs, found.refused) == (3, ())
    rows = query(
        results, "SELECT attempts, git_commit, processor FROM provenance ORDER BY attempts"
    )[1]
    assert rows == [(0, None, None), (1, "c0ffee", "P"), (1, "c0ffee", "P")]
    assert query(results, "SELECT count(*) FROM runs WHERE status = 'partial'")[1] == [(1,)]


@pytest.mark.worker
@pytest.mark.parametrize("above", ["step=99", "quantity=none", "value=7/concept=x"])
def test_folders_above_that_are_named_like_columns_change_no_number(
    tmp_path: Path, finish: Finish, above: str
) -> None:
    plain, named = tmp_path / "plain", tmp_path / above
    for path in (plain, named):
        finish(path, 1)
        ingest(path)
    every = "SELECT * FROM measurements ORDER BY ALL"
    assert query(plain, every) == query(named, every)


def test_a_second_part_of_a_marker_is_sealed_to_the_first(results: Path) -> None:
    folder = first(results)
    (folder.path / "scores").mkdir()
    (folder.path / "scores" / "humaneval.json").write_text("{}")
    folder.finish_second(["scores/humaneval.json"])
    with pytest.raises(EvidenceError, match="not the one that the store was made from"):
        compared(results)
    assert ingest(results).refused == ()
    listed = "SELECT count(*) FROM artifacts WHERE path = 'scores/humaneval.json'"
    assert query(results, listed)[1] == [(1,)]
    compared(results, deep=True)
    (folder.path / "scores" / "humaneval.json").write_text("{ }")
    with pytest.raises(EvidenceError, match=r"scores/humaneval\.json: found"):
        compared(results)
    (folder.path / "scores" / "humaneval.json").write_text("{}")
    marker(reason="another")(folder)
    assert "belongs to a done.json of" in ingest(results).refused[0]
    with pytest.raises(EvidenceError, match="is evidence of the run itself"):
        RunFolder(max((results / "runs" / "smoke").iterdir())).finish_second(["run.json"])


def test_a_request_whose_key_and_run_disagree_is_left_out(results: Path) -> None:
    folder = first(results)
    content = json.loads((folder.path / "run.json").read_text())
    content["run"]["training"]["max_length"] = 50
    write_json(folder.path / "run.json", content)
    seal = json.loads((folder.path / "done.json").read_text())
    seal["files"]["run.json"] = file_digest(folder.path / "run.json")
    write_json(folder.path / "done.json", seal)
    (line,) = ingest(results).refused
    assert "key and run disagree (training.max_length" in line


@pytest.mark.parametrize("kind", ["types", "columns", "holes", "both"])
def test_a_listed_file_of_odd_types_leaves_only_its_own_run_out(results: Path, kind: str) -> None:
    folder = first(results)
    table = pq.read_table(folder.path / STEP)
    odd = {
        "types": table.set_column(2, "value", pa.array(["many"] * table.num_rows)),
        "columns": table.append_column("more", pa.array([1] * table.num_rows)),
        "holes": table.set_column(1, "quantity", pa.array([None] * table.num_rows, pa.string())),
        "both": table.set_column(3, "reason", pa.array(["why"] * table.num_rows)),
    }[kind]
    pq.write_table(odd, folder.path / STEP)
    seal = json.loads((folder.path / "done.json").read_text())
    seal["files"][STEP] = file_digest(folder.path / STEP)
    write_json(folder.path / "done.json", seal)
    found = ingest(results)
    assert found.runs == 2
    assert STEP in found.refused[0]
