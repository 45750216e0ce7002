"""One public name, one place: what a name means is said by one module.

Public are functions, classes, types and constants at the top of a module of the package, unless
they begin with an underscore. `python tests/test_names.py` prints those that stand in several.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SEVERAL = {
    *("add", "checks", "main"),  # every check of the audit and every command is called alike
    *("crosstalk", "damage", "nulls"),  # a page's figure is named for what it draws
    *("Check", "FIRST", "Group", "Measured", "Outcome", "PACKAGE", "ROOT", "Verdict"),
    *("frozen_scores", "measure", "measured", "record"),
}
"""Public names that stand in more than one module. It may only shrink."""
DOOR = Path("api/__init__.py")
"""What other programs import: it repeats the names of what it opens, by intent."""


def public_names(text: str) -> Iterator[str]:
    """Yield the public names that a module defines at its top."""
    for node in ast.parse(text).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                found = [name]
            case ast.ClassDef(name=name):
                found = [name]
            case ast.Assign(targets=targets):
                found = [
                    name.id
                    for target in targets
                    for name in ast.walk(target)
                    if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
                ]
            case ast.AnnAssign(target=ast.Name(id=name)):
                found = [name]
            case _:
                found = []
        yield from (name for name in found if not name.startswith("_"))


def in_several(package: Path) -> dict[str, list[str]]:
    """Return the public names that more than one module of a package defines, and the modules."""
    modules: dict[str, list[str]] = defaultdict(list)
    for path in sorted(package.rglob("*.py")):
        if path == package / DOOR:
            continue
        for name in sorted(set(public_names(path.read_text("utf-8")))):
            modules[name].append(str(path.relative_to(package)))
    return {name: found for name, found in modules.items() if len(found) > 1}


def test_public_names_are_found_and_private_ones_are_not() -> None:
    text = "A, _B = 1, 2\nC: int = 3\ndef d(): e = 1\nclass F:\n    g = 1\nfrom h import i\n"
    assert [*public_names(text)] == ["A", "C", "d", "F"]


def test_a_public_name_stands_in_one_module() -> None:
    found = in_several(ROOT / "repro")
    new = {name: modules for name, modules in found.items() if name not in SEVERAL}
    assert not new, f"say which is meant by another name, or make those private that can be: {new}"
    gone = sorted(SEVERAL - found.keys())
    assert not gone, f"they stand in one module now: take them out of SEVERAL: {gone}"
    assert len(SEVERAL) <= 25


if __name__ == "__main__":
    for name, modules in sorted(in_several(ROOT / "repro").items()):
        print(f"{name:20} {', '.join(modules)}")
