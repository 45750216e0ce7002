"""Look up architecture records: from the package, else from the cache, else newly built.

The package has the models of models.yaml at their pinned revisions under the manifests' adapters
(`repro.plan.built`), so that a machine without the worker's packages knows them too. Records it
lacks, such as those of a user's own model, are made by the worker once. Such a record is named by
the content of all that decides it: architecture, adapter, code, locked packages. It carries its own
digest, and is made again where that does not match.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from repro.cache import STRUCTURES, record_as_ours
from repro.errors import ManifestError, SetupError
from repro.execute.worker_command import call_worker
from repro.files import digest, file_digest
from repro.manifest.adapters import ALL_LINEAR
from repro.manifest.model import Model
from repro.manifest.probes import load_probe_set
from repro.manifest.training import Training
from repro.plan.built import built_key, read_packaged
from repro.plan.code import worker_code
from repro.plan.run import Run
from repro.plan.structure import Structure
from repro.shipped import ROOT

BUILDER = "repro.train.structure"
"""The module that makes the records."""


@dataclass(frozen=True)
class Wanted:
    """A model, and the protocol whose adapter is put on it."""

    model: Model
    training: Training
    sizes: tuple[int, ...] = ()
    """Nominal number of directions in each group of a block-diagonal adapter: a concept's
    classes less one.
    """

    def key(self) -> str:
        """Return the record's key.

        Settings that change no shape (rates, data, dropout) are not in it.
        """
        return built_key(self.model, self.training, self.sizes)

    def file(self, cache_folder: Path) -> Path:
        """Return the file of the worker's record."""
        content = [self.key(), _builder()]
        return cache_folder / STRUCTURES / f"{self.model.id}-{digest(content)[:16]}.json"


def structures(
    wanted: Iterable[Wanted],
    cache_folder: Path,
    say: Callable[[str], None],
    known: Mapping[str, Structure] | None = None,
) -> list[Structure]:
    """Return the record of each model, in the order given.

    `known`: records by key, by default those of the package. Raises SetupError when a missing
    one cannot be made here.
    """
    known = read_packaged() if known is None else known
    asked = list(wanted)
    given = [one for one in asked if one.key() not in known]
    files = {one.key(): one.file(cache_folder) for one in given}
    record_as_ours(cache_folder, files.values())
    missing = {files[one.key()]: one for one in given if _read(files[one.key()]) is None}
    if missing:
        count = len({one.model.id for one in missing.values()})
        models = "1 model" if count == 1 else f"{count} models"
        say(f"building {models} without weights, to count the parts (once)")
        _make(missing)
    own = {key: _there(_read(file), file) for key, file in files.items()}
    return [known.get(one.key()) or own[one.key()] for one in asked]


def dry_run(runs: Sequence[Run], cache_folder: Path, say: Callable[[str], None]) -> list[Structure]:
    """Return the architecture of each run's model and adapter.

    Raises ManifestError for a target that some block does not have, SetupError when nothing can
    be built here.
    """
    found = structures(map(wanted_by, runs), cache_folder, say)
    for run, built in zip(runs, found, strict=True):
        if built.absent and run.steps:
            raise ManifestError(
                f"manifest {run.experiment}: field training.lora.targets: found "
                f"{', '.join(built.absent)}, which not every "
                f"block of {run.model.id} has; expected names of its linear modules, such as "
                f"{', '.join(ALL_LINEAR)}"
            )
    return found


def wanted_by(run: Run) -> Wanted:
    """Return the model and adapter that a run trains."""
    return Wanted(run.model, run.training, _sizes(run))


def _sizes(run: Run) -> tuple[int, ...]:
    """Return the nominal directions of each concept.

    Only the base model's activations give the real number.
    """
    if not run.training.trained.grouped:
        return ()
    return tuple(len(classes) - 1 for classes in load_probe_set(run.probe_set).concepts.values())


def _there(record: Structure | None, file: Path) -> Structure:
    """Return the record. Raises SetupError when the worker left none."""
    if record is None:
        raise SetupError(
            f"{file}: the worker left no record that can be read; remove it and try again"
        )
    return record


def _read(file: Path) -> Structure | None:
    """Return a record from the cache; None where it is missing or its digest does not match."""
    try:
        kept = json.loads(file.read_bytes())
        return (
            Structure.model_validate(kept["structure"])
            if kept["sha256"] == digest(kept["structure"])
            else None
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _make(missing: dict[Path, Wanted]) -> None:
    """Let the worker make the missing records. Raises SetupError."""
    spec = [
        {
            "model": one.model.model_dump(mode="json"),
            "training": one.training.model_dump(mode="json"),
            "sizes": one.sizes,
            "destination": str(file),
        }
        for file, one in missing.items()
    ]
    if problem := call_worker("structure", spec):
        raise SetupError(
            f"models could not be built without weights: {problem}; `repro doctor` tells what is "
            "missing"
        )


@cache
def _builder() -> dict[str, Any]:
    """Return what decides a record besides its key: code and locked packages."""
    lock = ROOT / "requirements" / "cpu.lock"
    return {"code": worker_code(BUILDER), "lock": file_digest(lock) if lock.is_file() else "none"}
