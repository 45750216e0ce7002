"""Let a worker read the activations of a user's own model on a probe set."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from repro.cache import WALKS, record_as_ours
from repro.errors import InputError, SetupError
from repro.execute.worker_command import hear_worker
from repro.files import digest, is_folder
from repro.geometry.undefined import Array
from repro.manifest.probes import ProbeSet
from repro.measure import usable_activations
from repro.measure.inputs import KEY
from repro.measure.npz import read_array
from repro.plan.weight_files import check_family

_BLOCK = re.compile(r"block (\d+) of (\d+)")


def activations_of(
    model: Path, probes: ProbeSet, cache: Path, show: Callable[[int, int], None]
) -> Array:
    """Return the activations (N × H) of a model's folder on a probe set.

    `show` is told how many blocks are behind, and of how many. What was read before a kill is kept
    in the cache until it is finished. Raises SetupError, and InputError for no folder.
    """
    if not is_folder(model):
        raise InputError(
            f"--model {model}: found no folder, expected a model's, or its name on the hub as "
            "owner/name; correct it"
        )
    check_family(model, str(model))
    states = cache / WALKS / _name(model, probes)
    record_as_ours(cache, [states])

    def heard(line: str) -> None:
        if found := _BLOCK.fullmatch(line):
            show(int(found[1]), int(found[2]))

    with tempfile.TemporaryDirectory(prefix="repro-") as folder:
        destination = Path(folder) / "activations.npz"
        spec = {
            "model": str(model.absolute()),
            "texts": list(probes.texts()),
            "destination": str(destination),
            "state": str(states / "walk.safetensors"),
            "threads": os.cpu_count() or 1,
        }
        if problem := hear_worker("activations", spec, heard):
            raise SetupError(problem)
        shutil.rmtree(states, ignore_errors=True)
        X = read_array(destination, KEY)
    try:
        return usable_activations(X)
    except InputError as error:
        raise InputError(f"--model {model}: its activations: {error}") from None


def _name(model: Path, probes: ProbeSet) -> str:
    """Return a name for a model's files, told apart by path, size and time, on these texts."""
    files = sorted(path for path in model.glob("*") if path.is_file())
    states = [
        [str(path.absolute()), path.stat().st_size, path.stat().st_mtime_ns] for path in files
    ]
    return digest([states, list(probes.texts())])[:16]
