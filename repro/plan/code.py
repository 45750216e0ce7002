"""Digest the worker's sources, for provenance.

Modules are digested as syntax trees, so that a docstring or comment changes nothing.

No run is named by them: names hold the edition of the numbers (docs/evidence.md). `verify
--exact-code` compares them. The modules are found by following import statements from
`repro.worker`, without running anything.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


@cache
def worker_code(entry: str = "repro.worker.__main__") -> dict[str, str]:
    """Return the digest of each module of this package that `entry` can reach, by module name."""
    found: dict[str, str] = {}
    waiting = [entry]
    while waiting:
        name = waiting.pop()
        path = _path(name)
        if name in found or path is None:
            continue
        tree = ast.parse(path.read_bytes())
        found[name] = _tree_digest(tree)
        waiting += _imports(tree)
    return dict(sorted(found.items()))


def _path(module: str) -> Path | None:
    """Return the file of a module; None for one outside this package's folder."""
    parts = module.split(".")
    base = PACKAGE.parent.joinpath(*parts)
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


def _imports(tree: ast.AST) -> list[str]:
    """Return the modules of this package that a tree imports, with the packages above them."""
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    packages = {
        ".".join(name.split(".")[:depth])
        for name in names
        for depth in range(1, name.count(".") + 2)
    }
    return sorted(name for name in packages if name == "repro" or name.startswith("repro."))


def _tree_digest(tree: ast.AST) -> str:
    """Return the digest of a tree without its documentation."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            # Strings standing alone (docstrings of modules, classes, functions,
            # attributes) are documentation.
            node.body = [  # type: ignore[attr-defined]  # every node with a list body takes one
                part
                for part in body
                if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
            ] or [ast.Pass()]
    return hashlib.sha256(ast.dump(tree, include_attributes=False).encode()).hexdigest()[:16]
