"""Fetch a model from a hub at its pinned revision, without code.

Each file is compared with what the hub publishes.
"""

import fnmatch
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from repro.cache import IDENTITY, partial
from repro.errors import SetupError, first_line
from repro.files import file_digest, write_json
from repro.manifest.model import HubWeights, Model
from repro.plan.weight_files import check_weights

if TYPE_CHECKING:
    from huggingface_hub.hf_api import ModelInfo, RepoSibling

TAKEN = ("*.safetensors", "*.json", "tokenizer.model", "merges.txt", "vocab.txt")
"""Files to fetch: no code and nothing that can run any."""
NO_HUB = (
    "what answered is no model hub: its answer is not the JSON that was asked for, as of a page to "
    "sign in at; sign in there, or correct the proxy and HF_ENDPOINT, and try again"
)
LEFT = ("*/*", "consolidated*")
"""Files among these to leave out: other copies of the same weights."""


def from_hub(model: Model, weights: HubWeights, destination: Path) -> None:
    """Fetch a manifest's model, and compare its tensors with its architecture.

    Raises SetupError with the way out.
    """
    where = f"model {model.id} ({weights.repository}@{weights.revision[:12]})"
    said = model.model_dump(mode="json")
    bring(weights, destination, where, said, lambda folder: check_weights(folder, model))


def bring(
    weights: HubWeights,
    destination: Path,
    where: str,
    model: Mapping[str, Any],
    check: Callable[[Path], object],
) -> None:
    """Fetch a snapshot at the pinned revision, and let `check` look at it before it counts.

    An interrupted download continues where it stopped. The digests are kept in identity.json,
    beside what is said of the `model`. Raises SetupError with the way out.
    """
    from huggingface_hub import snapshot_download

    beside = partial(destination)
    with said_plainly(where):
        files = listed(weights, where)
        check_free(files, beside, where)
        snapshot_download(
            weights.repository,
            revision=weights.revision,
            local_dir=beside,
            allow_patterns=list(TAKEN),
            ignore_patterns=list(LEFT),
        )
    digests = {file.rfilename: verified(beside, file, where) for file in files}
    check(beside)
    write_json(beside / IDENTITY, {"model": model, "files": digests})
    shutil.rmtree(beside / ".cache", ignore_errors=True)
    shutil.rmtree(destination, ignore_errors=True)
    os.replace(beside, destination)


def listed(weights: HubWeights, where: str) -> "list[RepoSibling]":
    """Return the files to fetch, as the hub lists them. Raises SetupError."""
    info = ask(weights.repository, weights.revision, where)
    if info.sha != weights.revision:
        raise SetupError(
            f"{where}: the hub answers with revision {str(info.sha)[:12]}; pin a "
            "revision, not a branch or a tag"
        )
    found = [file for file in info.siblings or () if _taken(file.rfilename)]
    if not any(file.rfilename.endswith(".safetensors") for file in found):
        raise SetupError(
            f"{where}: the hub has no safetensors for it; weights in other formats are refused"
        )
    return found


def ask(repository: str, revision: str | None, where: str) -> "ModelInfo":
    """Return what the hub says of a repository and its files; None is its main branch.

    Raises SetupError, and the errors of the hub's library.
    """
    from huggingface_hub import HfApi

    try:
        return HfApi().model_info(repository, revision=revision, files_metadata=True)
    except (ValueError, KeyError, TypeError, AttributeError) as error:  # its answer is no record
        if isinstance(error, OSError):
            raise
        raise SetupError(f"{where}: {NO_HUB}") from error


@contextmanager
def said_plainly(where: str) -> Iterator[None]:
    """Turn the errors of the hub's library into a SetupError with the way out."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        yield
    except GatedRepoError as error:
        raise SetupError(
            f"{where}: gated; accept its terms on the hub and set HF_TOKEN, then give the same command again"
        ) from error
    except RevisionNotFoundError as error:
        raise SetupError(f"{where}: the hub has no such revision any more; name another") from error
    except RepositoryNotFoundError as error:
        raise SetupError(
            f"{where}: no such repository, or HF_TOKEN may not see it; correct its name"
        ) from error
    except HfHubHTTPError as error:
        if error.response.status_code in (401, 407):
            asker = "the hub" if error.response.status_code == 401 else "a proxy"
            raise SetupError(
                f"{where}: {asker} refuses who asks ({first_line(error)}); correct HF_TOKEN or "
                "leave it out, or sign in at the proxy"
            ) from error
        raise SetupError(_unfetched(where, error)) from error
    except (HTTPError, OSError) as error:
        raise SetupError(_unfetched(where, error)) from error


def _unfetched(where: str, error: Exception) -> str:
    from huggingface_hub import constants

    return (
        f"{where}: could not be fetched from {constants.ENDPOINT} ({first_line(error)}); connect to "
        "the hub and give the same command again"
    )


def _taken(name: str) -> bool:
    """Return whether a file is fetched, by the same rules as the download's own."""
    return any(fnmatch.fnmatch(name, like) for like in TAKEN) and not any(
        fnmatch.fnmatch(name, like) for like in LEFT
    )


def check_free(files: "Iterable[RepoSibling]", partial: Path, where: str) -> None:
    """Raise SetupError, before the download, when the disk cannot hold it."""
    here = sum(path.stat().st_size for path in partial.rglob("*") if path.is_file())
    needed = sum(file.size or 0 for file in files) - here
    free = shutil.disk_usage(next(parent for parent in partial.parents if parent.exists())).free
    if needed > free:
        raise SetupError(
            f"{where}: needs {needed / 2**30:.1f} GiB more, {free / 2**30:.1f} are free at "
            f"{partial.parent}; "
            "repro clean, or another disk (REPRO_CACHE)"
        )


def verified(folder: Path, file: "RepoSibling", where: str) -> str:
    """Return the sha256 of a file that came.

    Raises SetupError where it is missing, or is not what the hub publishes; it is removed then.
    """
    path, name = folder / file.rfilename, file.rfilename
    if not path.is_file():
        raise SetupError(f"{where}: {name} did not come; give the same command again")
    digest = file_digest(path)
    published, found = (file.lfs.sha256, digest) if file.lfs else (file.blob_id, git_digest(path))
    if published != found:
        path.unlink()
        raise SetupError(
            f"{where}: {name} has digest {found[:12]}, the hub publishes "
            f"{str(published)[:12]}; it was removed, give the same command again"
        )
    return digest


def git_digest(path: Path) -> str:
    """Return git's name of a file's content, which a hub publishes for small files."""
    content = path.read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
