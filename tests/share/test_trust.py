"""Signed statements: what a key covers is judged, and nothing else; forged in every way that comes
to mind.
"""

import base64
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from repro.api.judging import judge_by_store
from repro.claims.papers import load_claims
from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.files import file_digest, write_json
from repro.share.attest import STATEMENTS, attest_runs
from repro.share.dsse import read_private
from repro.store.finished import finished_folders

pytest.importorskip("cryptography")
MANIFEST = "canary_entropies"
Edit = Callable[[Path, Path], object]


def attest(results: Path, key: Path) -> list[Path]:
    """Sign the carried runs."""
    found = finished_folders(results, MANIFEST)
    assert len(found.folders) == 3
    assert found.faults == ()
    return attest_runs(results, MANIFEST, found.folders, (), read_private(key))


def judged(results: Path, key: Path) -> int:
    """Judge one claim by signed evidence alone; return the number of verdicts."""
    claims = load_claims()[:1]
    return len(judge_by_store(claims, claims, results, {}, key=key)[0])


def run_of(results: Path) -> Path:
    """The first of the runs."""
    return min((results / "runs" / MANIFEST).iterdir())


def refit(path: Path) -> None:
    """Let the marker say that the files were always as they are."""
    marker = json.loads((path / "done.json").read_text())
    marker["files"] = {x: file_digest(path / x) for x in marker["files"] if (path / x).exists()}
    marker["weights"] = []
    write_json(path / "done.json", marker)
    RunFolder(path).check()


def edited_number(results: Path, _: Path) -> None:
    """A number is another, and every digest fits."""
    folder = RunFolder(run_of(results))
    rows = folder.measurements(2)
    folder.append(2, [row.model_copy(update={"n": row.n + 1}) for row in rows])
    refit(folder.path)


def later_seal(results: Path, _: Path) -> None:
    """The run names another seal, and every digest fits."""
    path = run_of(results)
    content = json.loads((path / "run.json").read_text())
    write_json(path / "run.json", {**content, "seal": "0" * 64})
    refit(path)


def dropped_run(results: Path, _: Path) -> None:
    """A seed that does not please is gone."""
    shutil.rmtree(run_of(results))


def dropped_all(results: Path, _: Path) -> None:
    """A seed is gone, and with it the list and every statement that names it."""
    gone = run_of(results)
    shutil.rmtree(gone)
    shutil.rmtree(results / "asked")
    for path in (results / STATEMENTS).glob("*/*.json"):
        if gone.name in base64.b64decode(json.loads(path.read_text())["payload"]).decode():
            path.unlink()


def asked_less(results: Path, _: Path) -> None:
    """The manifest asks for fewer runs now."""
    path = results / f"asked/{MANIFEST}.json"
    content = json.loads(path.read_text())
    write_json(path, {**content, "runs": content["runs"][1:]})


def unsigned(results: Path, _: Path) -> None:
    """There are no statements."""
    shutil.rmtree(results / STATEMENTS)


def other_key(results: Path, keys: Path) -> None:
    """Another signed the same."""
    unsigned(results, keys)
    attest(results, keys / "other")


def other_payload(results: Path, _: Path) -> None:
    """The envelopes' statements are others, under the old signatures."""
    for path in (results / STATEMENTS).glob("*/*.json"):
        envelope = json.loads(path.read_text())
        body = json.loads(base64.b64decode(envelope["payload"]))
        body["predicate"] = {}
        envelope["payload"] = base64.b64encode(json.dumps(body).encode()).decode()
        write_json(path, envelope)


def more_evidence(results: Path, _: Path) -> None:
    """A run is there that nobody signed."""
    kept = Path(__file__).resolve().parents[2] / "evidence/runs/smoke"
    path = min(kept.iterdir())
    shutil.copytree(path, results / "runs/smoke" / path.name)


FORGED: dict[str, tuple[Edit, str]] = {
    "a number": (edited_number, "no valid statement covers it"),
    "a later seal": (later_seal, "no valid statement covers it"),
    "a run dropped": (dropped_run, "or is gone"),
    "a run dropped with all that names it": (dropped_all, "no valid statement covers it"),
    "fewer runs asked for": (asked_less, "no valid statement covers it"),
    "no statement": (unsigned, "no valid statement covers it"),
    "another key": (other_key, "and 4 of none or another"),
    "another payload": (other_payload, "found 0 of this key"),
    "an unsigned run": (more_evidence, "no valid statement covers it"),
}


def test_signed_evidence_is_judged_and_what_was_forged_is_refused(
    carried: Path, keys: Path, tmp_path: Path
) -> None:
    assert len(attest(carried, keys / "mine")) == 4
    assert judged(carried, keys / "mine.pub") == 1, "the control"
    with pytest.raises(EvidenceError, match="no valid statement"):
        judged(carried, keys / "other.pub")
    for name, (edit, words) in FORGED.items():
        results = Path(shutil.copytree(carried, tmp_path / name))
        edit(results, keys)
        with pytest.raises(EvidenceError, match=words):
            judged(results, keys / "mine.pub")


def test_a_file_that_does_not_fit_its_signed_marker_is_refused(carried: Path, keys: Path) -> None:
    attest(carried, keys / "mine")
    (run_of(carried) / "usage.json").write_text("{}")
    with pytest.raises(EvidenceError, match="usage"):
        judged(carried, keys / "mine.pub")
