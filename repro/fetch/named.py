"""Fetch a model that a user names by its repository on a hub (`repro measure --model`).

It needs no entry in models.yaml. The revision is pinned when it is fetched: the one that was asked
for, else that of models.yaml where it has the repository, else the main branch's newest. Only files
that every manifest's model may have are taken, each compared with what the hub publishes.
"""

import re
import shutil
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from repro.cache import is_fetched, model_folder, named_folder, partial, record_as_ours
from repro.errors import SetupError
from repro.fetch.hub import NO_HUB, ask, bring, listed, said_plainly
from repro.fetch.models import alone_in, fetch_models
from repro.manifest.load import load_models
from repro.manifest.model import HubWeights, Model
from repro.plain import Say
from repro.plan.model_files import check_files
from repro.plan.weight_files import SETTINGS_FILES, check_family, read_tensors

_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9_][A-Za-z0-9._-]{0,95}")
_COMMIT = re.compile(r"[0-9a-f]{40}")


class NamedModel(NamedTuple):
    """A model on the hub, and where it lies now."""

    folder: Path
    repository: str
    revision: str
    """The whole hash of its commit."""


def names_repository(given: str) -> bool:
    """Return whether a text may be the name of a repository, `owner/name`."""
    return bool(_REPOSITORY.fullmatch(given)) and ".." not in given


def fetch_named(repository: str, revision: str | None, cache: Path, say: Say) -> NamedModel:
    """Return a repository's model in the cache, fetched at a commit, branch or tag if missing.

    Raises SetupError with the way out.
    """
    if model := _in_manifests(repository, revision):
        fetch_models([model], cache, say)
        assert isinstance(model.weights, HubWeights)
        return NamedModel(model_folder(cache, model.folder), repository, model.weights.revision)
    where = f"--model {repository} (no such folder here; on the hub at {(revision or 'main')[:40]})"
    weights = _pinned(repository, revision, where)
    folder = named_folder(cache, repository, weights.revision)
    record_as_ours(cache, [folder, partial(folder)])
    if not is_fetched(folder):
        with alone_in(folder.parent, say):
            if not is_fetched(folder):  # Another process may have fetched it meanwhile.
                _fetch(weights, folder, where, say)
    check_files(folder)
    return NamedModel(folder, repository, weights.revision)


def _in_manifests(repository: str, revision: str | None) -> Model | None:
    """Return the model of models.yaml that this is: then both are one copy in the cache."""
    for model in load_models().values():
        match model.weights:
            case HubWeights(repository=name, revision=pin):
                if name == repository and revision in (None, pin):
                    return model
    return None


def _pinned(repository: str, revision: str | None, where: str) -> HubWeights:
    """Return a repository at a commit. The hub is asked for the commit of a branch or a tag."""
    if revision is None or not _COMMIT.fullmatch(revision):
        with said_plainly(where):
            revision = ask(repository, revision, where).sha or ""
    try:
        return HubWeights(repository=repository, revision=revision)
    except ValidationError:
        raise SetupError(f"{where}: {NO_HUB}") from None


def _fetch(weights: HubWeights, folder: Path, where: str, say: Say) -> None:
    """Fetch a model; one of another family is refused before its weights come."""
    from huggingface_hub import hf_hub_download

    beside = partial(folder)
    with said_plainly(where):
        for name in {file.rfilename for file in listed(weights, where)} & {*SETTINGS_FILES}:
            hf_hub_download(weights.repository, name, revision=weights.revision, local_dir=beside)
    try:
        check_family(beside, where)
    except SetupError:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    say(f"fetching {weights.repository}")
    said = weights.model_dump(mode="json")
    bring(weights, folder, where, said, lambda place: read_tensors(place, where))
