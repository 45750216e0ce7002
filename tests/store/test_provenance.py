"""What a run ran on: columns for the usual questions, the whole record beside them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.store.database import query
from repro.store.ingest import ingest
from repro.store.provenance import Provenance, provenance_row, read_provenance

Finish = Callable[..., RunFolder]
ATTEMPT: dict[str, Any] = {
    "started": "2026-01-01T00:00:00+00:00",
    "host": {"commit": "c0ffee", "dirty": "unknown", "runner": "docker"},
    "kernels": {"system": "Linux 6"},
    "hardware": {"processor": "P", "gpus": [], "gpu_driver": "none"},
    "isolation": {"network": "none", "root": "read-only"},
}
RECORD: dict[str, Any] = {
    "run": "a" * 64,
    "environment": {"code": "c", "lock": "l", "edition": {"code": 2, "packages": 7}},
    "model": {"identity": {"model": {"weights": {"kind": "hub"}}}, "stored_as": ["BF16", "F32"]},
    "attempts": [ATTEMPT],
}


def written(folder: Path, **changes: Any) -> RunFolder:
    """Write a record into a folder."""
    (folder / "provenance.json").write_text(json.dumps({**RECORD, **changes}))
    return RunFolder(folder)


@pytest.mark.worker
def test_provenance_can_be_asked_for_in_columns(tmp_path: Path, finish: Finish) -> None:
    """A run that went through a worker, beside one that none has begun; a record of another version
    is left out.
    """
    recorded, bare = finish(tmp_path, 1), finish(tmp_path, 2)
    (bare.path / "provenance.json").unlink()
    bare.finish("done")
    attempt = {
        "started": "2026-01-01T00:00:00+00:00",
        "host": {"commit": "c0ffee", "dirty": False, "runner": "docker"},
        "kernels": {"system": "Linux 6"},
        "hardware": {"processor": "P", "gpus": [{"name": "G"}, {"name": "G"}], "gpu_driver": "550"},
        "isolation": {"network": "none", "root": "read-only"},
    }
    record = {
        "environment": {"code": "c", "lock": "l"},
        "model": {"identity": {"model": {"weights": {"kind": "hub"}}}, "stored_as": ["BF16"]},
        "attempts": [{**attempt, "host": {}}, attempt],
    }
    (recorded.path / "provenance.json").write_text(json.dumps(record))
    recorded.finish("done")
    ingest(tmp_path)
    columns = "git_commit, dirty, weights, stored_as, network, root, gpus, gpu_driver, attempts"
    rows = query(tmp_path, f"SELECT {columns} FROM provenance ORDER BY attempts")[1]
    assert rows == [
        (None,) * 8 + (0,),
        ("c0ffee", "false", "hub", "BF16", "none", "read-only", "G, G", "550", 2),
    ]
    started = "SELECT runner, started::VARCHAR FROM runs WHERE started IS NOT NULL"
    assert query(tmp_path, started)[1] == [("docker", "2026-01-01 00:00:00")]
    (bare.path / "provenance.json").write_text('{"attempts": ["2026-01-01T00:00:00+00:00"]}')
    bare.finish("done")
    assert "not a record of attempts" in ingest(tmp_path).refused[0]


def test_what_differs_between_attempts_is_that_of_the_last_but_the_start(tmp_path: Path) -> None:
    later = {
        **ATTEMPT,
        "started": "2026-02-02T00:00:00+00:00",
        "host": {"commit": "beef", "dirty": True, "runner": "slurm"},
        "packages": {"torch": "2"},
    }
    provenance = read_provenance(written(tmp_path, attempts=[ATTEMPT, later]), "a" * 64)
    row = provenance_row("a" * 64, provenance)
    assert (provenance.started, provenance.runner) == (ATTEMPT["started"], "slurm")
    assert (row["attempts"], row["git_commit"], row["dirty"]) == (2, "beef", "true")
    assert (row["packages"], row["gpus"], row["edition"]) == ('{"torch": "2"}', "none", "2.7")
    assert row["stored_as"] == "BF16, F32"


def test_what_a_later_worker_writes_besides_stays_in_the_content(tmp_path: Path) -> None:
    provenance = read_provenance(written(tmp_path, more={"speed": 1}), "a" * 64)
    content = provenance_row("a" * 64, provenance)["content"]
    assert json.loads(content) == {**RECORD, "more": {"speed": 1}}
    assert provenance_row("a" * 64, provenance)["dirty"] == "unknown"


def test_a_run_that_no_worker_has_begun_has_no_attempts(tmp_path: Path) -> None:
    provenance = read_provenance(RunFolder(tmp_path), "a" * 64)
    assert provenance == Provenance()
    assert (provenance.started, provenance.runner) == (None, None)
    assert provenance_row("r", provenance) == {"run_id": "r", "attempts": 0, "content": "{}"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"attempts": []}, "field attempts: found .*expected at least 1"),
        ({"attempts": [{**ATTEMPT, "started": "soon"}]}, r"field attempts\.0\.started"),
        ({"environment": {"code": "c"}}, r"field environment\.lock: missing"),
        ({"run": "b" * 64}, f"is that of run {'b' * 12}, this folder's is {'a' * 12}"),
    ],
)
def test_a_record_of_another_version_or_run_is_refused(
    tmp_path: Path, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(EvidenceError, match=rf"provenance\.json: .*{words}"):
        read_provenance(written(tmp_path, **changes), "a" * 64)


def test_a_record_that_names_no_run_is_that_of_its_folder(tmp_path: Path) -> None:
    assert read_provenance(written(tmp_path, run=None), "a" * 64).record is not None
