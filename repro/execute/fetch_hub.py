"""A model from a hub: the pinned revision, safetensors and settings alone, every file compared with what is published."""

import fnmatch
import hashlib
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from repro.errors import SetupError
from repro.files import file_digest, write_json
from repro.manifest.model import HubWeights, Model
from repro.plan.weight_files import check_weights

if TYPE_CHECKING:
    from huggingface_hub.hf_api import RepoSibling

TAKEN = ("*.safetensors", "*.json", "tokenizer.model", "merges.txt", "vocab.txt")
"""What is taken: no code and nothing that can run any."""
LEFT = ("*/*", "consolidated*")
"""What is left of that: other copies of the same weights."""


def from_hub(model: Model, weights: HubWeights, destination: Path) -> None:
    """A snapshot at the pinned revision; a download that was cut off goes on where it stopped.

    The digests are kept in identity.json. Raises SetupError with the way out.
    """
    from httpx2 import HTTPError
    from huggingface_hub import HfApi, snapshot_download
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError, RevisionNotFoundError

    where = f"model {model.id} ({weights.repository}@{weights.revision[:12]})"
    partial = destination.with_name(destination.name + ".partial")
    try:
        info = HfApi().model_info(weights.repository, revision=weights.revision, files_metadata=True)
        if info.sha != weights.revision:
            raise SetupError(
                f"{where}: the hub answers with revision {str(info.sha)[:12]}; pin a revision, not a branch or a tag"
            )
        listed = [file for file in info.siblings or () if _taken(file.rfilename)]
        if not any(file.rfilename.endswith(".safetensors") for file in listed):
            raise SetupError(f"{where}: the hub has no safetensors for it; weights in other formats are refused")
        _check_room(listed, partial, where)
        snapshot_download(
            weights.repository,
            revision=weights.revision,
            local_dir=partial,
            allow_patterns=list(TAKEN),
            ignore_patterns=list(LEFT),
        )
    except GatedRepoError as error:
        raise SetupError(f"{where}: gated; accept its terms on the hub and set HF_TOKEN, then fetch again") from error
    except RevisionNotFoundError as error:
        raise SetupError(f"{where}: the hub has no such revision any more; pin another in models.yaml") from error
    except RepositoryNotFoundError as error:
        raise SetupError(f"{where}: no such repository, or HF_TOKEN may not see it; correct models.yaml") from error
    except (HTTPError, OSError) as error:
        problem = (str(error).splitlines() or [type(error).__name__])[0]
        raise SetupError(
            f"{where}: could not be fetched ({problem}); connect to the hub and run fetch again"
        ) from error
    digests = _verified(partial, listed, where)
    check_weights(partial, model)
    write_json(partial / "identity.json", {"model": model.model_dump(mode="json"), "files": digests})
    shutil.rmtree(partial / ".cache", ignore_errors=True)
    shutil.rmtree(destination, ignore_errors=True)
    os.replace(partial, destination)


def _taken(name: str) -> bool:
    """The same choice as the download's own."""
    return any(fnmatch.fnmatch(name, like) for like in TAKEN) and not any(fnmatch.fnmatch(name, like) for like in LEFT)


def _check_room(listed: "Iterable[RepoSibling]", partial: Path, where: str) -> None:
    """Refuse before the first byte what the disk cannot hold."""
    here = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
    needed = sum(file.size or 0 for file in listed) - here
    free = shutil.disk_usage(next(parent for parent in partial.parents if parent.exists())).free
    if needed > free:
        raise SetupError(
            f"{where}: needs {needed / 2**30:.1f} GiB more, {free / 2**30:.1f} are free at {partial.parent}; "
            "repro clean, or another disk (REPRO_CACHE)"
        )


def _verified(folder: Path, listed: "Iterable[RepoSibling]", where: str) -> dict[str, str]:
    """sha256 of every file; one that is not what the hub publishes, or not there, is removed and named."""
    digests: dict[str, str] = {}
    for file in listed:
        path, name = folder / file.rfilename, file.rfilename
        if not path.is_file():
            raise SetupError(f"{where}: {name} did not come; run fetch again")
        digests[name] = file_digest(path)
        published, found = (file.lfs.sha256, digests[name]) if file.lfs else (file.blob_id, git_digest(path))
        if published != found:
            path.unlink()
            raise SetupError(
                f"{where}: {name} has digest {found[:12]}, the hub publishes {str(published)[:12]}; it was removed, "
                "run fetch again"
            )
    return digests


def git_digest(path: Path) -> str:
    """How git names a file's content: what a hub publishes for small files."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
