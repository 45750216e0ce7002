"""Records of what models are built of (`repro.plan.structure`): those that come with the package, else from the cache.

The package has the models of models.yaml at their pinned revisions under the manifests' adapters (`repro.plan.built`), so
that a machine without the worker's packages knows them too. What it lacks, such as a model of one's own, the worker makes
once. Its record is named by the content of all that decides it: architecture, adapter, code, locked packages.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from repro.errors import ManifestError, SetupError
from repro.execute.own import note_own
from repro.files import digest, file_digest
from repro.manifest.model import Model
from repro.manifest.probes import load_probe_set
from repro.manifest.training import ALL_LINEAR, BlockDiagonal, Training
from repro.plan.built import built_key, packaged
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
    """Directions of a block-diagonal adapter's groups, nominally: for each concept its classes less one."""

    def key(self) -> str:
        """What the record is of; what leaves every shape alone (rates, data, dropout) is not in it."""
        return built_key(self.model, self.training, self.sizes)

    def file(self, cache_folder: Path) -> Path:
        """Where the worker's record lies."""
        content = [self.key(), _builder()]
        return cache_folder / "structure" / f"{self.model.id}-{digest(content)[:16]}.json"


def structures(
    wanted: Iterable[Wanted],
    cache_folder: Path,
    say: Callable[[str], None],
    known: Mapping[str, Structure] | None = None,
) -> list[Structure]:
    """Return the record of each, in their order; `known`: by key, those of the package unless given.

    Raises SetupError when one that is not known cannot be made here.
    """
    known = packaged() if known is None else known
    asked = list(wanted)
    given = [one for one in asked if one.key() not in known]
    files = {one.key(): one.file(cache_folder) for one in given}
    note_own(cache_folder, files.values())
    missing = {files[one.key()]: one for one in given if _read(files[one.key()]) is None}
    if missing:
        count = len({one.model.id for one in missing.values()})
        models = "1 model" if count == 1 else f"{count} models"
        say(f"building {models} without weights, to count the parts (once)")
        _make(missing)
    own = {key: _there(_read(file), file) for key, file in files.items()}
    return [known.get(one.key()) or own[one.key()] for one in asked]


def dry_run(runs: Sequence[Run], cache_folder: Path, say: Callable[[str], None]) -> list[Structure]:
    """What each run's model and adapter are built of.

    Raises ManifestError for a target that is not in every block, SetupError when nothing can be built here.
    """
    found = structures(map(wanted_by, runs), cache_folder, say)
    for run, built in zip(runs, found, strict=True):
        if built.absent and run.steps:
            raise ManifestError(
                f"manifest {run.experiment}: field training.lora.targets: found {', '.join(built.absent)}, which not every "
                f"block of {run.model.id} has; expected names of its linear modules, such as {', '.join(ALL_LINEAR)}"
            )
    return found


def wanted_by(run: Run) -> Wanted:
    """The model and the adapter that a run trains."""
    return Wanted(run.model, run.training, _sizes(run))


def _sizes(run: Run) -> tuple[int, ...]:
    """Directions of each concept, nominally; only the base model's activations tell how many there really are."""
    if not isinstance(run.training.trained, BlockDiagonal):
        return ()
    return tuple(len(classes) - 1 for classes in load_probe_set(run.probe_set).concepts.values())


def _there(record: Structure | None, file: Path) -> Structure:
    if record is None:
        raise SetupError(f"{file}: the worker left no record that can be read; remove it and try again")
    return record


def _read(file: Path) -> Structure | None:
    try:
        return Structure.model_validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None


def _make(missing: dict[Path, Wanted]) -> None:
    spec = [
        {
            "model": one.model.model_dump(mode="json"),
            "training": one.training.model_dump(mode="json"),
            "sizes": one.sizes,
            "destination": str(file),
        }
        for file, one in missing.items()
    ]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(json.dumps(spec))
        file.flush()
        command = [sys.executable, "-m", "repro.worker", "structure", file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        problem = (done.stderr.strip().splitlines() or ["?"])[-1]
        raise SetupError(f"models could not be built without weights: {problem}; `repro doctor` tells what is missing")


@cache
def _builder() -> dict[str, Any]:
    lock = ROOT / "requirements" / "cpu.lock"
    return {"code": worker_code(BUILDER), "lock": file_digest(lock) if lock.is_file() else "none"}
