"""Find manifests, models and data sets: turn names into files, and files into records."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from repro.errors import ManifestError
from repro.files import is_file
from repro.manifest.benchmark import load_benchmarks
from repro.manifest.data import Source, sources_of
from repro.manifest.experiment import Experiment
from repro.manifest.explain import brief
from repro.manifest.model import Model
from repro.manifest.yaml import read_catalogue, read_yaml, validate
from repro.names import nearest
from repro.shipped import ROOT, find, places

MANIFESTS = ROOT / "manifests"
CATALOGUES = ("models", "datasets", "planned", "benchmarks")
_PLACED: dict[str, Path] = {}
"""Manifests of this process that lie in no manifests/ folder: name → file."""


def experiment_names() -> list[str]:
    """Return the names of the manifests that come with the project."""
    return sorted(path.stem for path in MANIFESTS.glob("*.yaml") if path.stem not in CATALOGUES)


def load_experiment(name: str) -> Experiment:
    """Read a manifest by name, or by the path of a YAML file. Raises ManifestError."""
    path = find_manifest(name)
    if path is None or not is_file(path):
        raise ManifestError(f"{name}: {_absent(Path(name))}")
    experiment = validate(Experiment, read_yaml(path), str(path))
    if experiment.id != path.stem:
        raise ManifestError(
            f"{path}: field id: found {experiment.id!r}, expected {path.stem!r}, the file's own "
            "name"
        )
    _check_references(experiment, path)
    own = sources_of(experiment.sources, path.absolute().parent, f"{path}: field sources")
    return experiment.model_copy(
        update={"sources": {key: source.data for key, source in own.items()}}
    )


def find_manifest(name: str) -> Path | None:
    """Return the file of a manifest: the path itself, or the name's file where it was placed, or
    in manifests/.
    """
    if name.endswith((".yaml", ".yml")) or "/" in name:
        return Path(name)
    return _PLACED.get(name) or find("manifests", f"{name}.yaml")


def place_manifest(file: Path, where: str) -> str:
    """Let a manifest be found by its name, wherever it lies: one given by its path, or beside the
    paper that names it.

    Runs bear a manifest's name, so two manifests of one name are refused (ManifestError); `where`:
    what names it.
    """
    known = _PLACED.setdefault(file.stem, file)
    if known != file and known.read_bytes() != file.read_bytes():
        raise ManifestError(
            f"{where}: two manifests are called {file.stem!r}, {known} and {file}; rename one of "
            "them"
        )
    return file.stem


def _absent(given: Path) -> str:
    """Return what exists instead of a manifest, and what to give."""
    if os.path.isdir(given):
        inside = sorted(map(str, given.glob("*.yaml")))
        example = f", such as {inside[0]}" if inside else ""
        return f"found a folder, expected a manifest; give a YAML file{example}"
    return (
        f"no such manifest; {nearest(given.name, experiment_names())}known are "
        f"{', '.join(experiment_names())}; or give the path of a YAML file"
    )


def _check_references(experiment: Experiment, path: Path) -> None:
    """Raise ManifestError for a model, benchmark or source that is not in a catalogue."""
    models, sources = load_models(), {**load_sources(), **experiment.sources}
    for arm in experiment.arms:
        for name in arm.models:
            if name not in models:
                raise ManifestError(
                    f"{path}: field arms: found model {name!r}, expected one of "
                    f"{', '.join(models)}; {nearest(name, models)}"
                    f"add it to {MANIFESTS / 'models.yaml'} or correct the name"
                )
    for name in experiment.evaluation.benchmarks if experiment.evaluation else ():
        if name not in load_benchmarks():
            raise ManifestError(
                f"{path}: field evaluation.benchmarks: found {name!r}, expected one of "
                f"{', '.join(load_benchmarks())}; {nearest(name, load_benchmarks())}add "
                f"it to {MANIFESTS / 'benchmarks.yaml'} or correct the name"
            )
    for domain, names in experiment.domains.items():
        for name in names:
            if name not in sources:
                raise ManifestError(
                    f"{path}: field domains.{domain}: found source {name!r}, expected one of "
                    f"{', '.join(sources)}; {nearest(name, sources)}"
                    "add it to the manifest's own sources or to "
                    f"{MANIFESTS / 'datasets.yaml'}, or correct the name"
                )


@cache
def load_models() -> dict[str, Model]:
    """Read every model of manifests/models.yaml, by id."""
    return {
        key: read_model(key, value, f"{path}: {key}")
        for path in _catalogues("models.yaml")
        for key, value in read_catalogue(path).items()
    }


def read_model(key: str, fields: Any, where: str) -> Model:
    """Read one entry of models.yaml; its id is the entry's own name. Raises ManifestError."""
    if not isinstance(fields, dict) or "id" in fields:
        found = f"the field id {brief(fields['id'])}" if isinstance(fields, dict) else brief(fields)
        raise ManifestError(
            f"{where}: found {found}, expected a mapping of title, weights and architecture"
        )
    return validate(Model, {"id": key, **fields}, where)


@cache
def load_sources() -> dict[str, Source]:
    """Read every data source of manifests/datasets.yaml, by id."""
    found: dict[str, Source] = {}
    for path in _catalogues("datasets.yaml"):
        read = {
            key: validate(Source, {"id": key, "data": value}, f"{path}: {key}")
            for key, value in read_catalogue(path).items()
        }
        found |= sources_of(
            {key: source.data for key, source in read.items()}, path.parent, str(path)
        )
    return found


def _catalogues(name: str) -> list[Path]:
    """Return the catalogues of that name, the project's first.

    The working folder's entries replace the project's.
    """
    return [place / name for place in reversed(places("manifests")) if (place / name).is_file()]
