"""Which claims are asked about: of a manifest, a paper, or every paper, wherever they lie."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from repro.claims.claim import Claim
    from repro.manifest.experiment import Experiment


@dataclass(frozen=True)
class AskedClaims:
    """The claims asked about, and all that are known, since other prints matter to them."""

    claims: "Sequence[Claim]"
    everything: "tuple[Claim, ...]"
    folders: tuple[Path, ...] = ()
    """Those of papers that are read beside the known ones."""
    experiment: "Experiment | None" = None
    """The manifest, where one is given by its path."""
    manifest: bool = False
    """Whether a manifest is named rather than a paper."""

    @property
    def given(self) -> "dict[str, Experiment]":
        """Return the manifest that no name finds, by its id."""
        return {self.experiment.id: self.experiment} if self.experiment else {}


def claims_for(manifest: str, papers: Path | None) -> "tuple[Claim, ...]":
    """Return the claims of every paper known where a manifest is planned or run.

    Papers beside its file are among them.
    """
    from repro.claims.papers import load_claims

    return load_claims(_folders_for(manifest, papers))


def _folders_for(manifest: str, papers: Path | None) -> tuple[Path, ...]:
    """Return the folders of papers beside a manifest's file, and of those that are given."""
    from repro.claims.manifests import is_manifest_path
    from repro.claims.papers import paper_folders, papers_beside
    from repro.manifest.load import place_manifest

    beside: tuple[Path, ...] = ()
    if is_manifest_path(manifest):
        place_manifest(Path(manifest), manifest)
        beside = papers_beside(manifest)
    return (*beside, *(paper_folders(papers) if papers else ()))


def asked_claims(name: str | None, papers: Path | None) -> AskedClaims:
    """Return the claims that NAME and --papers mean. Raises ManifestError.

    NAME is a manifest's name or file, else a paper's id or folder: where both have one name, it is
    the manifest. --papers alone means all claims of its papers; with it, NAME is looked for among
    these.
    """
    from repro.claims.papers import load_claims, paper_folders

    further = paper_folders(papers) if papers else ()
    if name is None:
        everything = load_claims(further)
        return AskedClaims(
            _of_papers(everything, further) if further else everything, everything, further
        )
    folders = _paper_of(name, further)
    if folders:
        read = (*further, *folders)
        everything = load_claims(read)
        return AskedClaims(_of_papers(everything, folders), everything, read)
    read = _folders_for(name, papers)
    everything = load_claims(read)
    among = _of_papers(everything, further) if further else everything
    bound = [claim for claim in among if claim.measured_by == name]
    if bound:
        return AskedClaims(bound, everything, read, manifest=True)
    from repro.manifest.load import load_experiment

    experiment = load_experiment(name)
    bound = [claim for claim in among if claim.measured_by == experiment.id]
    return AskedClaims(bound, everything, read, experiment, manifest=True)


def papers_option(folders: Sequence[Path]) -> str:
    """Return what --papers takes so that another verb reads the same papers; empty where it knows
    them anyway.
    """
    from repro.claims.papers import known_papers

    known = {folder.resolve() for folder in known_papers().values()}
    # One folder may be given by its path and lie beside the manifest too: it is one.
    once = {folder.resolve(): folder for folder in folders}
    further = [folder for real, folder in once.items() if real not in known]
    if len(further) < 2:
        return str(further[0]) if further else ""
    parents = {folder.parent for folder in further}
    return str(parents.pop()) if len(parents) == 1 else "DIR"


def _of_papers(claims: "Sequence[Claim]", folders: Sequence[Path]) -> "list[Claim]":
    ids = {folder.name for folder in folders}
    return [claim for claim in claims if claim.source in ids]


def _paper_of(name: str, further: Sequence[Path]) -> tuple[Path, ...]:
    """Return the folders of the papers that NAME means; none where it means a manifest.

    Raises ManifestError where it means neither.
    """
    from repro.claims.manifests import is_manifest_path, planned_manifests
    from repro.claims.papers import folder_of, known_papers, paper_folders
    from repro.errors import ManifestError
    from repro.manifest.load import experiment_names, find_manifest
    from repro.names import nearest

    if is_manifest_path(name):
        return ()
    if "/" in name or name in (".", ".."):
        return paper_folders(Path(os.path.expanduser(name)))
    if find_manifest(name) is not None or name in planned_manifests():
        return ()
    if among := [folder for folder in further if folder.name == name]:
        return tuple(among)
    if name in known_papers() or os.path.isdir(name):
        return folder_of(name)
    raise ManifestError(
        f"{name}: no such manifest or paper; "
        f"{nearest(name, (*experiment_names(), *known_papers()))}"
        f"manifests are {', '.join(experiment_names())}; papers are "
        f"{', '.join(sorted(known_papers()))}; or give the path of a manifest or the folder "
        "of a paper"
    )
