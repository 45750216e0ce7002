"""The papers: where they are, what they claim; a folder each under manifests/papers.

Their format: its README.md.
"""

import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from pydantic import Field

from repro.claims.claim import Claim, Grade
from repro.claims.context import with_context
from repro.claims.load import Loader, errors_with_place, with_gaps
from repro.claims.manifests import is_manifest, known_manifests
from repro.claims.printed import Decimals
from repro.claims.sentence import text_of
from repro.claims.table import PrintedTable
from repro.claims.written import RESERVED, SpreadKind, WrittenSpread
from repro.errors import ManifestError
from repro.files import is_file
from repro.frozen import Frozen
from repro.manifest.names import Name
from repro.manifest.yaml import read_yaml, validate
from repro.names import nearest
from repro.shipped import ROOT, places

PAPERS = ROOT / "manifests" / "papers"


class Paper(Frozen):
    """One source of claims."""

    id: Name
    title: str
    text: str = ""
    """File name of the text the claims were taken from; it is not part of this project."""
    sha256: str = ""
    """Of that text, so that a transcription is compared with what it was made from."""
    aliases: dict[str, dict[str, str | int | float]] = Field(default_factory=dict)
    """What the paper calls a level of an axis → our name for it: {model: {Qwen-7B:
    qwen2.5-coder-7b}}.
    """
    axes: tuple[str, ...] = ()
    """Selector keys of its own, beside the common ones."""
    decimal: Decimals | None = None
    """Its decimal mark, where digits alone do not tell; a block or a claim may say otherwise."""
    spread: WrittenSpread | SpreadKind | None = None
    """What its ± are, where it says so once for all."""
    evidence: Grade = "own"
    """The grade of evidence that judges its claims: `twin` or `random` where they speak of such
    models themselves.
    """
    example: bool = False
    """Shows the format; not a source of claims."""
    left_out: dict[str, str] = Field(default_factory=dict)
    """Numbers that are not claims, and why."""
    notes: dict[str, str] = Field(default_factory=dict)
    claims: tuple[Claim, ...] = ()
    tables: tuple[PrintedTable, ...] = ()


def load_papers(further: tuple[Path, ...] = ()) -> tuple[Paper, ...]:
    """Read every paper with its claims, by id. Raises ManifestError.

    An example is left out unless it is asked for. A paper of the working folder (manifests/papers)
    takes the place of the project's own of that name, and one of the folders `further` that of
    either.
    """
    folders = {folder.name: folder for folder in (*known_papers().values(), *further)}
    asked = {folder.name for folder in further}
    read = (
        name for name in sorted(folders) if name in asked or not paper_header(folders[name]).example
    )
    return tuple(load_paper(folders[name]) for name in read)


@cache
def papers_once(further: tuple[Path, ...] = ()) -> tuple[Paper, ...]:
    """Return what `load_papers` does, read once in a process. Raises ManifestError."""
    return load_papers(further)


@cache
def load_claims(further: tuple[Path, ...] = ()) -> tuple[Claim, ...]:
    """Read the claims of every paper, in the papers' own order. Raises ManifestError."""
    return tuple(claim for paper in papers_once(further) for claim in paper.claims)


def own_papers() -> Iterator[Paper]:
    """Read the papers that come with the project, whatever lies in the working folder."""
    folders = (file.parent for file in sorted(PAPERS.glob("*/paper.yaml")))
    return (load_paper(folder) for folder in folders if not paper_header(folder).example)


def paper_folders(given: Path) -> tuple[Path, ...]:
    """Return the paper's folder that a folder is, or those that it holds.

    Raises ManifestError where it neither is nor holds one.
    """
    folder = given if given.name not in (".", "..", "") else given.resolve()
    if is_file(folder / "paper.yaml"):
        return (folder,)
    inside = (
        tuple(sorted(file.parent for file in folder.glob("*/paper.yaml")))
        if os.path.isdir(folder)
        else ()
    )
    if not inside:
        found = (
            "holds no paper.yaml, nor does a folder in it"
            if os.path.isdir(folder)
            else "is no folder"
        )
        raise ManifestError(
            f"{given}: {found}; give a paper's folder (docs/your_paper.md), or one that papers "
            "lie in"
        )
    return inside


def papers_beside(manifest: str) -> tuple[Path, ...]:
    """Return the folders of papers around a manifest's file that name it.

    Its runs' claims may lie there unless told otherwise.
    """
    file = Path(manifest).absolute()
    place, name = file.parent, file.stem
    around = (
        place / "paper.yaml",
        *(
            near
            for depth in ("*", "papers/*", "../*")
            for near in place.glob(f"{depth}/paper.yaml")
        ),
    )
    known = {folder.resolve() for folder in known_papers().values()}
    folders = {paper.parent.resolve() for paper in around if is_file(paper)} - known
    return tuple(folder for folder in sorted(folders) if _names(folder, name))


def _names(folder: Path, manifest: str) -> bool:
    """Tell whether a YAML file of a paper's folder names a manifest.

    It is read as text, since the paper need not be whole.
    """
    bound = re.compile(rf"measured_by:[^\n#]*\b{re.escape(manifest)}\b")
    return any(
        bound.search(file.read_text(encoding="utf-8", errors="replace"))
        for file in folder.rglob("*.yaml")
    )


def folder_of(name: str) -> tuple[Path, ...]:
    """Return the folder of a paper, by its id, or those that a folder is or holds.

    Raises ManifestError where there is none.
    """
    known = known_papers()
    if name in known:
        return (known[name],)
    if os.path.isdir(name):
        return paper_folders(Path(name))
    raise ManifestError(
        f"{name}: no such paper; {nearest(name, known)}known are {', '.join(sorted(known))}; or give a folder with "
        "a paper.yaml"
    )


def find_paper(name: str, numbers_alone: bool = False) -> Paper:
    """Read one paper: by its id, or from a folder with a paper.yaml. Raises ManifestError.

    `numbers_alone`: its claims may name manifests that nobody has written, and sentences that do
    not quote them, since nothing is to be run and only the numbers are judged.
    """
    folder, *more = folder_of(name)
    if more:
        raise ManifestError(
            f"{name}: holds {1 + len(more)} papers, expected one; give the folder of one, "
            f"such as {folder}"
        )
    return load_paper(folder, numbers_alone)


def known_papers() -> dict[str, Path]:
    """Return id → folder of all papers; a working folder's comes before the project's own."""
    files = (
        file
        for place in reversed(places("manifests"))
        for file in place.glob("papers/*/paper.yaml")
    )
    return {file.parent.name: file.parent for file in files}


def paper_header(folder: Path) -> Paper:
    """Read what a paper is, without its claims. Raises ManifestError."""
    content = read_yaml(folder / "paper.yaml")
    if isinstance(content, dict) and "draft" in content:
        raise ManifestError(
            f"{folder / 'paper.yaml'}: field draft: found a draft; finish it and remove the field"
        )
    return validate(Paper, content, str(folder / "paper.yaml"))


def load_paper(folder: Path, numbers_alone: bool = False) -> Paper:
    """Read a paper's folder: paper.yaml, and the claims of every other YAML file but manifests."""
    paper = paper_header(folder)
    if paper.id != folder.name:
        raise ManifestError(
            f"{folder}/paper.yaml: field id: found {paper.id!r}, expected {folder.name!r}, "
            "as the folder"
        )
    if taken := next((axis for axis in paper.axes if axis in RESERVED), None):
        raise ManifestError(
            f"{folder}/paper.yaml: field axes: {taken!r} is a field of claims; call the axis "
            "otherwise"
        )
    defaults = {"decimal": paper.decimal, "spread": paper.spread}
    given = {key: value for key, value in defaults.items() if value is not None}
    text = text_of(paper.text, folder)
    manifests = known_manifests(folder)
    loader = Loader(
        folder, paper.axes, paper.aliases, given, manifests, text, checked=not numbers_alone
    )
    claims: list[Claim] = []
    for file in sorted(path for path in folder.rglob("*.yaml") if path.name != "paper.yaml"):
        if not is_manifest(file):
            claims += loader.claims(file)
    with errors_with_place(str(folder)):
        own = [with_gaps(claim, loader.empty) for claim in claims] if loader.empty else claims
        if paper.evidence != "own":
            own = [claim.model_copy(update={"evidence": paper.evidence}) for claim in own]
        tables = tuple(loader.tables)
        return paper.model_copy(update={"claims": with_context(own), "tables": tables})
