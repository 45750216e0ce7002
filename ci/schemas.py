"""Write manifests/schemas/ anew, and name a schema in the first line of every YAML file.

    make schemas                           (.venv/bin/python ci/schemas.py)

Editors with a YAML language server then complete and check these files. The line is a comment: it
is in no record and in no run's name.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from repro.claims.manifests import is_manifest
from repro.claims.papers import PAPERS, paper_header
from repro.manifest.load import CATALOGUES
from repro.report.export.schema import FILE_KINDS, schema_of

ROOT = Path(__file__).resolve().parents[1]
SCHEMAS = ROOT / "manifests" / "schemas"
LINE = "# yaml-language-server: $schema="


def schema_files() -> Iterator[tuple[Path, str]]:
    """Yield every schema file, and what it holds: kinds, and claims of papers with own axes."""
    wanted = {SCHEMAS / f"{kind}.json": kind for kind in FILE_KINDS}
    for paper in sorted(PAPERS.glob("*/paper.yaml")):
        if paper_header(paper.parent).axes:
            wanted[_of_paper(paper.parent)] = paper.parent.name
    for path, kind in wanted.items():
        yield path, json.dumps(schema_of(kind), indent=1, ensure_ascii=False) + "\n"


def yaml_files(root: Path = ROOT) -> Iterator[tuple[Path, Path]]:
    """Yield every YAML file that the project reads, and the file of its schema."""
    for path in sorted((root / "manifests").glob("*.yaml")):
        yield path, SCHEMAS / f"{path.stem if path.stem in CATALOGUES else 'manifest'}.json"
    for path in sorted((root / "manifests" / "papers").rglob("*.yaml")):
        yield path, _of_paper_file(path)
    for path in sorted((root / "probes").rglob("*.yaml")):
        kind = {"concepts": "probe_set", "recipe": "recipe"}[path.stem]
        yield path, SCHEMAS / f"{kind}.json"
    for path in sorted((root / "ci").glob("*.yaml")):
        yield path, SCHEMAS / f"{'manifest' if is_manifest(path) else 'policy'}.json"


def first_line(path: Path, schema: Path) -> str:
    """Return the comment that names a file's schema, by the way from its folder."""
    return f"{LINE}{Path(os.path.relpath(schema, path.parent)).as_posix()}"


def stale() -> Iterator[str]:
    """Yield what `main` would write: schemas that differ, files whose first line does."""
    wanted = dict(schema_files())
    for path, text in wanted.items():
        if not path.is_file() or path.read_text("utf-8") != text:
            yield str(path.relative_to(ROOT))
    for path in sorted(SCHEMAS.rglob("*.json")):
        if path not in wanted:
            yield f"{path.relative_to(ROOT)}, of no kind"
    for path, schema in yaml_files():
        if path.read_text("utf-8").partition("\n")[0] != first_line(path, schema):
            yield f"{path.relative_to(ROOT)}, its first line"


def main() -> None:
    """Write them."""
    for path, text in schema_files():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    for path, schema in yaml_files():
        lines = path.read_text("utf-8").split("\n")
        kept = lines[1:] if lines[0].startswith(LINE) else lines
        path.write_text("\n".join([first_line(path, schema), *kept]), "utf-8")
    left = "\n".join(stale())
    sys.exit(f"not of this program, remove: {left}" if left else 0)


def _of_paper(folder: Path) -> Path:
    return SCHEMAS / "papers" / f"{folder.name}.json"


def _of_paper_file(path: Path) -> Path:
    """Return the schema of a file in a paper's folder."""
    folder = next(place for place in path.parents if (place / "paper.yaml").is_file())
    if path.name == "paper.yaml":
        return SCHEMAS / "paper.json"
    if is_manifest(path):
        return SCHEMAS / "manifest.json"
    return _of_paper(folder) if paper_header(folder).axes else SCHEMAS / "claims.json"


if __name__ == "__main__":
    main()
