"""Sign what a manifest's evidence is, and what was judged by it.

statements/MANIFEST/SHA256.json: an envelope for each run (provenance: what it was made from, and the
digest of each of its files) and one for the manifest (test result: the verdicts, over the markers
of all its runs, the list of what it asks for, and the seals).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from repro import __version__
from repro.evidence.asked import ASKED_FOLDER
from repro.evidence.folder import RunFolder
from repro.evidence.marker import Marker
from repro.evidence.reading import read_run_state
from repro.evidence.request import Request
from repro.evidence.seals import counting_seals
from repro.files import canonical_json, write_bytes
from repro.share.dsse import STATEMENT, SignedStatement, sign
from repro.store.provenance import read_provenance
from repro.verify.verdict import Verdict

STATEMENTS = "statements"
PROVENANCE = "https://slsa.dev/provenance/v1"
TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
_OF = "claims of "
_PASSED = ("reproduced", "consistent", "holds", "as_printed")
_FAILED = ("contradicted", "fails", "differs")


def attest_runs(
    results: Path,
    manifest: str,
    runs: Sequence[tuple[Path, Request]],
    verdicts: Sequence[Verdict],
    key: Any,
) -> list[Path]:
    """Write signed statements of runs, whose files were just read, and of verdicts by them.

    Return their files. Raises EvidenceError for a file that cannot be read.
    """
    made, markers = [], dict[str, str]()
    for path, request in runs:
        marker = RunFolder(path).done()
        assert marker is not None
        place = str(path.relative_to(results))
        markers |= {f"{place}/{part}": digest for part, digest in marker.digests.items()}
        files = {f"{place}/{name}": digest for name, digest in marker.files.items()}
        subjects = {f"{place}/{part}": digest for part, digest in marker.digests.items()} | files
        made.append(_statement(subjects, PROVENANCE, _provenance(path, request, marker)))
    beside = {
        str(path.relative_to(results)): read_run_state(path.parent, path.name).sha256
        for path in _beside(results, manifest)
    }
    made.append(_statement(markers | beside, TEST_RESULT, _test_result(manifest, verdicts)))
    return [_write(results, manifest, sign(statement, key)) for statement in made]


def _beside(results: Path, manifest: str) -> Iterable[Path]:
    """Yield the manifest's list of runs, and the seals that count."""
    if (asked := results / ASKED_FOLDER / f"{manifest}.json").exists():
        yield asked
    yield from counting_seals(results)


def _statement(subjects: Mapping[str, str], kind: str, predicate: Mapping[str, Any]) -> bytes:
    """Return a statement about files, by name and sha256."""
    content = {
        "_type": STATEMENT,
        "subject": [{"name": name, "digest": {"sha256": x}} for name, x in subjects.items()],
        "predicateType": kind,
        "predicate": predicate,
    }
    return canonical_json(content).encode()


def _provenance(path: Path, request: Request, marker: Marker) -> dict[str, Any]:
    """Return how a run came about (SLSA Provenance v1)."""
    record = read_provenance(RunFolder(path), request.id)
    last = json.loads(record.content).get("attempts", [{}])[-1]
    run, made = request.run, record.record
    return {
        "buildDefinition": {
            "buildType": f"urn:repro-harness:{__version__}:run",
            "externalParameters": {"manifest": run.experiment, "run": run.slot, "key": run.key()},
            "internalParameters": {
                "seal": request.seal,
                "sources": made.environment.code if made else None,
                "packages": last.get("packages", {}),
            },
            "resolvedDependencies": [{"name": "probes", "digest": {"sha256": run.probe_hash}}],
        },
        "runDetails": {
            "builder": {"id": f"urn:repro-harness:{__version__}"},
            "metadata": {
                "invocationId": request.id,
                "startedOn": record.started,
                "finishedOn": marker.finished,
            },
        },
    }


def _test_result(manifest: str, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return what was judged (in-toto Test Result v0.1)."""
    passed, failed = (
        [one.id for one in verdicts if one.outcome in outcomes] for outcomes in (_PASSED, _FAILED)
    )
    others = [one.id for one in verdicts if one.outcome not in (*_PASSED, *_FAILED)]
    said = {one.id: [one.outcome, one.printed, one.tolerance] for one in verdicts}
    claims = hashlib.sha256(canonical_json(said).encode()).hexdigest()
    return {
        "result": "FAILED" if failed else "WARNED" if others or not passed else "PASSED",
        "configuration": [{"name": f"{_OF}{manifest}", "digest": {"sha256": claims}}],
        "passedTests": passed,
        "warnedTests": others,
        "failedTests": failed,
    }


def signed_manifest(statement: SignedStatement) -> str:
    """Return whose verdicts a test result states; empty where it does not say."""
    match statement.predicate:
        case {"configuration": [{"name": str(name)}]} if name.startswith(_OF):
            return name.removeprefix(_OF)
    return ""


def _write(results: Path, manifest: str, envelope: bytes) -> Path:
    """Write an envelope, named by its digest; return the file."""
    name = f"{hashlib.sha256(envelope).hexdigest()}.json"
    path = results / STATEMENTS / manifest / name
    write_bytes(path, envelope)
    return path
