"""Signed statements: what a key covers is judged, and nothing else; forged in every way that comes
to mind.
"""

import base64
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from repro.api.judging import verdicts_of
from repro.claims.papers import load_claims
from repro.errors import EvidenceError
from repro.evidence.folder import RunFolder
from repro.files import file_digest, write_json
from repro.share.attest import STATEMENTS, TEST_RESULT, attest_runs
from repro.share.dsse import key_name, read_private, read_public, signed_bytes
from repro.share.trust import refuse_unsigned
from repro.store.finished import finished_folders
from repro.store.ingest import build_index

pytest.importorskip("cryptography")
MANIFEST = "canary_entropies"
KEPT = Path(__file__).resolve().parents[2] / "evidence"
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
    with verdicts_of(claims, claims, results, {}, key=key) as found:
        return len(found.verdicts)


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
    path = min((KEPT / "runs/smoke").iterdir())
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


@pytest.mark.worker
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
            refuse(results, keys / "mine.pub")


def refuse(results: Path, key: Path) -> tuple[str, ...]:
    """Refuse what the key does not cover, as `repro verify --trust` does before it judges."""
    with build_index(results) as (connection, found):
        assert found.refused == ()
        rows = connection.execute("SELECT folder, marker FROM folders WHERE marker IS NOT NULL")
        return refuse_unsigned(results, read_public(key), dict(rows.fetchall()))


def verdicts_statement(results: Path) -> Path:
    """The statement on the verdicts."""
    (found,) = (
        path
        for path in (results / STATEMENTS / MANIFEST).iterdir()
        if TEST_RESULT in base64.b64decode(json.loads(path.read_text())["payload"]).decode()
    )
    return found


def rewrite(results: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the envelope of the statement on the verdicts, under the name that fits it then."""
    path = verdicts_statement(results)
    envelope = json.loads(path.read_text())
    change(envelope)
    path.unlink()
    data = json.dumps(envelope).encode()
    path.with_name(f"{hashlib.sha256(data).hexdigest()}.json").write_bytes(data)


def seal_before(results: Path, _: Path) -> None:
    """A seal that was never made lies before the first one, and cuts off all that follow."""
    from repro.evidence.seals import Seal

    content = Seal(sealed="2000-01-01T00:00:00+00:00", before=None, claims={}).model_dump_json()
    digest = hashlib.sha256(content.encode()).hexdigest()
    (results / f"seals/20000101T000000-{digest[:12]}.json").write_text(content)


def other_name(results: Path, _: Path) -> None:
    """The statement lies under the name of a newer one, which the reader noted."""
    path = verdicts_statement(results)
    path.rename(path.with_name(f"{'f' * 64}.json"))


def own_key_id(results: Path, keys: Path) -> None:
    """Another signed, and says that it was me."""
    other_key(results, keys)
    mine = key_name(read_public(keys / "mine.pub"))
    rewrite(results, lambda x: x["signatures"][0].update(keyid=mine))


def other_type(results: Path, keys: Path) -> None:
    """I signed the same bytes as something else than a statement."""
    key, kind = read_private(keys / "mine"), "application/json"

    def change(envelope: dict[str, Any]) -> None:
        said = signed_bytes(kind, base64.b64decode(envelope["payload"]))
        signature = base64.b64encode(key.sign(said)).decode()
        envelope |= {"payloadType": kind, "signatures": [{"sig": signature}]}

    rewrite(results, change)


def mixed_signatures(results: Path, keys: Path) -> None:
    """Another's statement carries my signature of mine beside its own."""
    mine = json.loads(verdicts_statement(results).read_text())["signatures"]
    dropped_run(results, keys)
    other_key_less(results, keys)
    rewrite(results, lambda x: x.update(signatures=[*mine, *x["signatures"]]))


def other_key_less(results: Path, keys: Path) -> None:
    """Another signed what is left."""
    unsigned(results, keys)
    left = finished_folders(results, MANIFEST).folders
    attest_runs(results, MANIFEST, left, (), read_private(keys / "other"))


def other_results(results: Path, keys: Path) -> None:
    """My statement is of another results folder, whose numbers were others."""
    said = verdicts_statement(results).read_bytes()
    name = verdicts_statement(results).name
    edited_number(results, keys)
    unsigned(results, keys)
    (results / STATEMENTS / MANIFEST).mkdir(parents=True)
    (results / STATEMENTS / MANIFEST / name).write_bytes(said)


def run_alone(results: Path, _: Path) -> None:
    """Only the statements of single runs are left, and one run is gone."""
    verdicts_statement(results).unlink()
    shutil.rmtree(run_of(results))


def second_part(results: Path, _: Path) -> None:
    """Scores were added after I signed."""
    folder = RunFolder(run_of(results))
    (folder.path / "completions").mkdir()
    (folder.path / "completions/a.000002.jsonl").write_text("{}\n")
    folder.finish_second(["completions/a.000002.jsonl"])


@pytest.mark.worker
@pytest.mark.parametrize(
    "edit",
    [seal_before, other_name, own_key_id, other_type, mixed_signatures, other_results, run_alone,
     second_part],
    ids=lambda edit: edit.__doc__,
)  # fmt: skip
def test_a_forged_statement_or_seal_covers_nothing(carried: Path, keys: Path, edit: Edit) -> None:
    attest(carried, keys / "mine")
    refuse(carried, keys / "mine.pub")
    edit(carried, keys)
    with pytest.raises(EvidenceError, match="no valid statement covers it"):
        refuse(carried, keys / "mine.pub")


def test_runs_that_another_manifest_signed_are_told(carried: Path, keys: Path) -> None:
    """Its statement names fewer of them: one that is gone with this manifest's is not missed."""
    attest(carried, keys / "mine")
    name = verdicts_statement(carried).stem
    assert refuse(carried, keys / "mine.pub") == (f"covered by the statements {name[:12]}",)
    asking = json.loads((carried / f"asked/{MANIFEST}.json").read_text())
    write_json(carried / "asked/other.json", {**asking, "manifest": "other", "runs": asking["runs"][1:]})  # fmt: skip
    folders = finished_folders(carried, "other").folders
    assert len(folders) == 2
    attest_runs(carried, "other", folders, (), read_private(keys / "mine"))
    (gone,) = {*(carried / "runs" / MANIFEST).iterdir()} - {path for path, _ in folders}
    shutil.rmtree(gone)
    shutil.rmtree(carried / STATEMENTS / MANIFEST)
    (carried / f"asked/{MANIFEST}.json").unlink()
    assert "may have been left out" in refuse(carried, keys / "mine.pub")[1]


def test_my_signature_counts_beside_another_that_is_none(carried: Path, keys: Path) -> None:
    attest(carried, keys / "mine")
    rewrite(carried, lambda x: x["signatures"].insert(0, {"keyid": "x", "sig": "AAAA"}))
    refuse(carried, keys / "mine.pub")


def test_an_unfinished_run_that_nobody_signed_gives_no_value(carried: Path, keys: Path) -> None:
    from repro.verify.evidence.gather import gather_evidence

    attest(carried, keys / "mine")
    wanted = {(MANIFEST, "entanglement_intensity", None)}
    other = carried / "runs" / "smoke"
    shutil.copytree(KEPT / "runs/smoke", other)
    for path in other.iterdir():
        (path / "done.json").unlink()
    refuse(carried, keys / "mine.pub")
    with build_index(carried) as (connection, _):
        found = gather_evidence(connection, {*wanted, ("smoke", "entanglement_intensity", None)})
        assert {place[0] for place in found.trained} == {MANIFEST}


def test_a_file_that_does_not_fit_its_signed_marker_is_refused(carried: Path, keys: Path) -> None:
    attest(carried, keys / "mine")
    (run_of(carried) / "usage.json").write_text("{}")
    with pytest.raises(EvidenceError, match="usage"):
        judged(carried, keys / "mine.pub")
