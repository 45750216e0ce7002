"""The papers: where they are, what they claim. One folder each under manifests/papers (format: its README.md)."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import Field

from repro.errors import ManifestError
from repro.frozen import Frozen
from repro.manifest.claim import Claim, Grade
from repro.manifest.claim_block import one_line, read_block
from repro.manifest.claim_build import build_claims, finish, inherit, renamed
from repro.manifest.claim_context import with_context
from repro.manifest.claim_table import table_rows
from repro.manifest.names import Name
from repro.manifest.yaml import read_yaml, validate
from repro.shipped import ROOT, places

PAPERS = ROOT / "manifests" / "papers"
_BLOCK_FIELDS = {"locator", "statements", "table", "keys", "columns", "rows", "ignore", "nothing"}


class Paper(Frozen):
    """One source of claims."""

    id: Name
    title: str
    text: str = ""
    """File name of the text the claims were taken from; it is not part of this project."""
    sha256: str = ""
    """Of that text, so that a transcription is compared with what it was made from."""
    aliases: dict[str, dict[str, str | int | float]] = Field(default_factory=dict)
    """What the paper calls a level of an axis → our name for it: {model: {Qwen-7B: qwen2.5-coder-7b}}."""
    axes: tuple[str, ...] = ()
    """Selector keys of its own, beside the common ones."""
    evidence: Grade = "own"
    """The grade of evidence that judges its claims: `twin` or `random` where they speak of such models themselves."""
    example: bool = False
    """Shows the format; not a source of claims."""
    left_out: dict[str, str] = Field(default_factory=dict)
    """Numbers that are not claims, and why."""
    notes: dict[str, str] = Field(default_factory=dict)
    claims: tuple[Claim, ...] = ()


def load_papers() -> tuple[Paper, ...]:
    """Read every paper with its claims, by id; the example is left out. Raises ManifestError.

    A paper of the working folder (manifests/papers) takes the place of the project's own of that name.
    """
    folders: dict[str, Path] = {}
    for place in reversed(places("manifests")):
        folders |= {file.parent.name: file.parent for file in place.glob("papers/*/paper.yaml")}
    papers = (load_paper(folders[name]) for name in sorted(folders))
    return tuple(paper for paper in papers if not paper.example)


@cache
def load_claims() -> tuple[Claim, ...]:
    """Read the claims of every paper, in the papers' own order. Raises ManifestError."""
    return tuple(claim for paper in load_papers() for claim in paper.claims)


def load_paper(folder: Path) -> Paper:
    """One paper's folder: paper.yaml, and blocks of claims in every other YAML file below it."""
    paper = validate(Paper, read_yaml(folder / "paper.yaml"), str(folder / "paper.yaml"))
    if paper.id != folder.name:
        raise ManifestError(
            f"{folder}/paper.yaml: field id: found {paper.id!r}, expected {folder.name!r}, as the folder"
        )
    claims: list[Claim] = []
    seen = Counter[str]()
    for file in sorted(path for path in folder.rglob("*.yaml") if path.name != "paper.yaml"):
        content = read_yaml(file)
        for number, given in enumerate(content if isinstance(content, list) else [content], 1):
            block = read_block(given, f"{file}: block {number}")
            with one_line(f"{file}, {block['locator']}"):
                claims += _claims_of(block, paper, file, seen)
    with one_line(str(folder)):
        return paper.model_copy(update={"claims": with_context(claims)})


def _claims_of(block: dict[str, Any], paper: Paper, file: Path, seen: Counter[str]) -> Iterator[Claim]:
    locator = block["locator"]
    where = f"{file}, {locator}"
    defaults = {key: value for key, value in block.items() if key not in _BLOCK_FIELDS}
    for name, fields in _written(block, defaults, paper, where):
        for parts in build_claims(renamed(fields, paper.aliases), f"{where}, {name}", paper.axes):
            label = f"{parts['term'].statistic}-{name}" if "±" in parts["printed"] else name
            identity = f"{paper.id}/{_slug(locator)}/{_slug(label)}"
            seen[identity] += 1
            numbered = identity if seen[identity] == 1 else f"{identity}~{seen[identity]}"
            yield finish({**parts, "evidence": paper.evidence}, numbered, paper.id, locator)


def _written(
    block: dict[str, Any], defaults: dict[str, Any], paper: Paper, where: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """(a name for the id, the claim's fields with everything inherited), for every claim of a block."""
    if "table" in block:
        yield from table_rows(block, defaults, paper.aliases, where)
    for statement in block.get("statements", ()):
        shared = inherit(defaults, {key: value for key, value in statement.items() if key != "claims"})
        for claim in statement.get("claims", ()):
            yield str(claim.get("printed", "")), inherit(shared, claim)


def _slug(text: str) -> str:
    """Short, readable, stable: letters, digits and a few signs that tell numbers apart."""
    text = text.replace("§", "s").replace("−", "-").replace("–", "-").replace("%", "pct").replace("±", "+-")
    return re.sub(r"[^\w.+-]+", "-", text.lower()).strip("-")[:60]
