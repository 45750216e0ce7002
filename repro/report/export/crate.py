"""A manifest's evidence as a Workflow Run RO-Crate (profile 0.5, w3id.org/ro/wfrun/workflow/0.5).

    manifest/NAME.yaml   the workflow, which is the crate's main entity
    results/             the evidence as a results folder: runs without weights, list, seals
    verdicts.json        what `repro verify NAME --json` says of it

An action for each run names when it began and ended, and how; one more names the judging. Every
file has its sha256, as the run's own marker states it.
"""

import importlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

from repro import __version__
from repro.errors import EvidenceError, SetupError
from repro.evidence.folder import RunFolder
from repro.evidence.marker import Marker
from repro.files import file_digest
from repro.store.faults import fault_of

CRATE_PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
LICENCE = "not stated: manifests come with repro under Apache-2.0; for the evidence, whoever ran it decides"
_README = """# Evidence of the manifest {name}

A Workflow Run RO-Crate, made by `repro crate`: ro-crate-metadata.json describes every file. To look at
the evidence with repro: `repro ingest --results results`, `repro verify {name} --results results`.
"""
_KINDS = {".json": "application/json", ".yaml": "application/yaml", ".jsonl": "application/jsonl",
          ".parquet": "application/vnd.apache.parquet", ".safetensors": "application/octet-stream"}  # fmt: skip


@dataclass(frozen=True)
class ArchivedRun:
    """One finished run, as the store lists it."""

    id: str
    slot: str
    folder: Path
    """Below results/runs."""
    started: str | None
    finished: str | None
    """Both ISO 8601, in UTC."""


def build_crate(
    manifest: Path, title: str, results: Path, runs: Sequence[ArchivedRun], verdicts: object
) -> Any:
    """Return a crate (`rocrate.ROCrate`) of a manifest's runs, list, seals and verdicts.

    Raises SetupError without the package rocrate, EvidenceError for a run that is not what its
    marker says.
    """
    crate = _library().ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(TERMS)
    name = manifest.stem
    crate.name = f"Evidence of the manifest {name}"
    crate.description = (
        f"{title}. {len(runs)} finished runs with their measurements, and what is said of them."
    )
    crate.license = _entity(crate, "#licence", "CreativeWork", name=LICENCE)
    crate.root_dataset["conformsTo"] = [
        _entity(crate, at, "CreativeWork", name=words, version=version)
        for at, (words, version) in CRATE_PROFILES.items()
    ]
    workflow = _add_workflow(crate, manifest, title)
    readme = {"about": crate.root_dataset, "encodingFormat": "text/markdown"}
    crate.add_file(StringIO(_README.format(name=name)), "README.md", properties=readme)
    for path in sorted((*results.glob(f"asked/{name}.json"), *results.glob("seals/*.json"))):
        _add_file(crate, path, f"results/{path.relative_to(results).as_posix()}")
    folders = [_add_run(crate, workflow, results, run) for run in runs]
    _add_judging(crate, folders, verdicts)
    return crate


def _library() -> Any:
    """Return the module that makes crates. Raises SetupError where it is not installed."""
    try:
        return importlib.import_module("rocrate.rocrate")
    except ModuleNotFoundError:
        raise SetupError(
            "repro crate: the package rocrate is not installed; "
            "run `pip install 'repro-harness[crate]'`"
        ) from None


def _add_workflow(crate: Any, manifest: Path, title: str) -> Any:
    """Add the manifest as the main entity, in the language of manifests."""
    model = importlib.import_module("rocrate.model")
    language = crate.add(
        model.ComputerLanguage(
            crate,
            "#repro-manifest",
            properties={"name": "manifest of repro, in YAML", "version": __version__},
        )
    )
    return crate.add_workflow(
        manifest,
        f"manifest/{manifest.name}",
        main=True,
        lang=language,
        properties={
            "name": title,
            "version": file_digest(manifest)[:12],
            "sha256": file_digest(manifest),
            "encodingFormat": "application/yaml",
        },
    )


def _add_run(crate: Any, workflow: Any, results: Path, run: ArchivedRun) -> Any:
    """Add a run's folder, and the action that made it; return the folder."""
    folder = RunFolder(results / "runs" / run.folder)
    if fault := fault_of(folder.path, deep=True):
        raise EvidenceError(fault)
    marker = folder.done()
    assert marker is not None
    at = f"results/runs/{run.folder.as_posix()}"
    dataset = crate.add_directory(
        dest_path=at, properties={"name": f"evidence of {run.slot}", "identifier": run.id}
    )
    files = {
        name: digest for name, digest in marker.files.items() if os.path.lexists(folder.path / name)
    }
    dataset["hasPart"] = [
        _add_file(crate, folder.path / name, f"{at}/{name}", digest)
        for name, digest in {**files, **marker.digests}.items()
    ]
    crate.root_dataset.append_to("mentions", _action(crate, workflow, dataset, run, marker))
    return dataset


def _action(crate: Any, workflow: Any, dataset: Any, run: ArchivedRun, marker: Marker) -> Any:
    """Add the action of one run: one that diverged failed, and says so."""
    failed = marker.status == "diverged"
    told: dict[str, object] = {
        "name": f"run {run.slot}",
        "description": f"repro run --only '{run.slot}'",
        "startTime": run.started,
        "endTime": run.finished,
        "actionStatus": f"http://schema.org/{'Failed' if failed else 'Completed'}ActionStatus",
        "error": marker.reason if failed else None,
    }
    properties = {key: value for key, value in told.items() if value}
    return crate.add_action(
        workflow, f"#run-{run.id}", object=workflow, result=dataset, properties=properties
    )


def _add_judging(crate: Any, folders: Sequence[Any], verdicts: object) -> None:
    """Add the verdicts, and the action that gave them."""
    text = json.dumps(verdicts, ensure_ascii=False, indent=1) + "\n"
    properties = {"name": "verdicts", "encodingFormat": _KINDS[".json"]}
    file = crate.add_file(StringIO(text), "verdicts.json", properties=properties)
    repro = _entity(
        crate, "#repro", "SoftwareApplication", name="repro", softwareVersion=__version__
    )
    properties = {
        "name": "repro verify",
        "description": "repro verify NAME --json",
        "endTime": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    action = crate.add_action(
        repro, "#verify", object=list(folders), result=file, properties=properties
    )
    crate.root_dataset.append_to("mentions", action)


def _add_file(crate: Any, path: Path, at: str, digest: str | None = None) -> Any:
    properties: Mapping[str, str] = {
        "name": path.name,
        "encodingFormat": _KINDS.get(path.suffix, "application/octet-stream"),
        "sha256": digest or file_digest(path),
    }
    return crate.add_file(path, at, properties=properties, record_size=True)


def _entity(crate: Any, at: str, kind: str, **properties: str) -> Any:
    """Add something that is no file, by its identifier."""
    model = importlib.import_module("rocrate.model")
    return crate.add(model.ContextEntity(crate, at, properties={"@type": kind, **properties}))
