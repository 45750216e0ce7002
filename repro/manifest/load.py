"""Finding manifests, models, data sets: names become files, files become records."""

import os
from functools import cache
from pathlib import Path
from typing import Any

from repro.errors import ManifestError
from repro.files import is_file
from repro.manifest.data import Source, sources_of
from repro.manifest.experiment import Experiment
from repro.manifest.explain import brief
from repro.manifest.model import Model
from repro.manifest.yaml import read_catalogue, read_yaml, validate
from repro.shipped import ROOT, find, places

MANIFESTS = ROOT / "manifests"
CATALOGUES = ("models", "datasets", "planned")


def experiment_names() -> list[str]:
    """The manifests that come with the project."""
    return sorted(path.stem for path in MANIFESTS.glob("*.yaml") if path.stem not in CATALOGUES)


def load_experiment(name: str) -> Experiment:
    """Read a manifest by name, or by the path of a YAML file. Raises ManifestError."""
    path = find_manifest(name)
    if path is None or not is_file(path):
        raise ManifestError(f"{name}: {_absent(Path(name))}")
    experiment = validate(Experiment, read_yaml(path), str(path))
    if experiment.id != path.stem:
        raise ManifestError(f"{path}: field id: found {experiment.id!r}, expected {path.stem!r}, the file's own name")
    _check_references(experiment, path)
    own = sources_of(experiment.sources, path.absolute().parent, f"{path}: field sources")
    return experiment.model_copy(update={"sources": {key: source.data for key, source in own.items()}})


def find_manifest(name: str) -> Path | None:
    """Return the file of a manifest: the path itself, or the name's file in the working folder or the project."""
    if name.endswith((".yaml", ".yml")) or "/" in name:
        return Path(name)
    return find("manifests", f"{name}.yaml")


def _absent(given: Path) -> str:
    """What is there instead of a manifest, and what to give."""
    if os.path.isdir(given):
        inside = sorted(map(str, given.glob("*.yaml")))
        example = f", such as {inside[0]}" if inside else ""
        return f"found a folder, expected a manifest; give a YAML file{example}"
    return f"no such manifest; known are {', '.join(experiment_names())}; or give the path of a YAML file"


def _check_references(experiment: Experiment, path: Path) -> None:
    models, sources = load_models(), {**load_sources(), **experiment.sources}
    for arm in experiment.arms:
        for name in arm.models:
            if name not in models:
                raise ManifestError(
                    f"{path}: field arms: found model {name!r}, expected one of {', '.join(models)}; "
                    f"add it to {MANIFESTS / 'models.yaml'} or correct the name"
                )
    for domain, names in experiment.domains.items():
        for name in names:
            if name not in sources:
                raise ManifestError(
                    f"{path}: field domains.{domain}: found source {name!r}, expected one of {', '.join(sources)}; "
                    f"add it to the manifest's own sources or to {MANIFESTS / 'datasets.yaml'}, or correct the name"
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
        raise ManifestError(f"{where}: found {found}, expected a mapping of title, weights and architecture")
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
        found |= sources_of({key: source.data for key, source in read.items()}, path.parent, str(path))
    return found


def _catalogues(name: str) -> list[Path]:
    """Return the catalogues of that name, the project's first: the working folder's entries replace its own."""
    return [place / name for place in reversed(places("manifests")) if (place / name).is_file()]
