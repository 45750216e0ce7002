"""Reuse runs of smoke from an earlier stage, if they prove that today's sources made them.

A run's name states its inputs and edition; its record the sources, packages and files it was
computed with; its marker shows that nothing was edited since. A run that does not match in every
part is skipped, and run again.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from repro.evidence.folder import RunFolder, read_json
from repro.execute.folders import place_runs
from repro.files import file_digest
from repro.manifest.load import load_experiment
from repro.plan.code import worker_code
from repro.plan.environment import local_environment, processor_type
from repro.plan.expand import expand
from repro.plan.packages import installed, plain_name
from repro.plan.run import Run
from repro.plan.texts import texts_file

SMOKE = "smoke"
INPUTS = ("manifests/smoke.yaml", "manifests/models.yaml", "manifests/datasets.yaml")


def same_inputs(one: Path, other: Path) -> bool:
    """Return whether two trees have the same smoke manifest, catalogues and probe sets."""
    return all(_content(one / name) == _content(other / name) for name in (*INPUTS, "probes"))


def take_runs(given: Path, cache: Path, results: Path) -> int:
    """Copy the runs of smoke that today's sources made from `given` to `results`.

    Return their number. `cache`: models and texts made by today's sources, and none older.
    """
    taken = 0
    for place in place_runs(expand(load_experiment(SMOKE), local_environment()), given):
        if place.state == "finished" and made_by_these(place.folder, place.run, cache):
            shutil.copytree(place.folder.path, results / "runs" / SMOKE / place.folder.path.name)
            taken += 1
    return taken


def made_by_these(folder: RunFolder, run: Run, cache: Path) -> bool:
    """Return whether a finished run was computed here by these sources and packages, from the
    files in `cache`.

    Raises EvidenceError where the folder is not what its marker says.
    """
    folder.check()
    record = read_json(folder.path / "provenance.json")
    model = cache / "models" / run.model.folder
    files = {
        name: file_digest(model / name)
        for name in record["model"]["files"]
        if (model / name).is_file()
    }
    return (
        record["run"] == run.id
        and folder.path.parent.name == SMOKE
        and record["model"]["files"] == files
        and record["texts"]["sha256"] == _texts(run, cache)
        and all(_attempt_here(attempt) for attempt in record["attempts"])
    )


def _attempt_here(attempt: dict[str, Any]) -> bool:
    """Return whether an attempt used these sources, packages and this kind of machine."""
    packages = {
        plain_name(name): version.split("+")[0] for name, version in attempt["packages"].items()
    }
    return (
        attempt["sources"] == worker_code()
        and packages == installed()
        and attempt["host"]["runner"] == "local"
        and attempt["hardware"]["machine"] == processor_type().split()[0]
    )


def _texts(run: Run, cache: Path) -> dict[str, str]:
    """Return the digests of a run's texts in the cache."""
    sources = [source for domain in run.domains.values() for source in domain]
    paths = {
        source.id: texts_file(cache, source, run.environment.texts).with_suffix(".sha256")
        for source in sources
    }
    return {
        name: path.read_text(encoding="utf-8").strip()
        for name, path in paths.items()
        if path.is_file()
    }


def _content(path: Path) -> str:
    """Return names and digests of a file, or of every file in a folder."""
    files = sorted(part for part in path.rglob("*") if part.is_file()) if path.is_dir() else [path]
    return json.dumps(
        [(str(part.relative_to(path)), file_digest(part)) for part in files if part.is_file()]
    )
