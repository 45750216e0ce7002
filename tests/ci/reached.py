"""Read by the interpreter at its start, as sitecustomize: notes which functions of the project a
worker calls.

It lies on PYTHONPATH beside a folder `reached`, into which every process writes the functions that
it called. A module of the project is compiled with one more statement at the head of each function,
from its source and never into a cache: the file stays what it is, and a call costs an entry into a
set, not a trace of every call of every library.
"""

import ast
import atexit
import builtins
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType

HERE = Path(__file__).resolve().parent
PROJECT = "repro"
NOTE = "__note_call__"
called: set[str] = set()


class Marking(ast.NodeTransformer):
    """Put a note of its own name (path:qualified name) at the head of each function, those inside
    functions too.
    """

    def __init__(self, path: str) -> None:
        self.path, self.above = path, ""

    def marked(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef, inside: str
    ) -> ast.AST:
        """The node with the functions in it marked; decorators and defaults belong to what is above
        it.
        """
        above, self.above = self.above, f"{self.above}{node.name}{inside}."
        node.body = [self.visit(part) for part in node.body]
        self.above = above
        if not isinstance(node, ast.ClassDef):
            line = ast.parse(f"{NOTE}({f'{self.path}:{above}{node.name}'!r})").body[0]
            for part in ast.walk(line):
                ast.copy_location(part, node.body[0])
            node.body.insert(ast.get_docstring(node, clean=False) is not None, line)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self.marked(node, ".<locals>")

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self.marked(node, ".<locals>")

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        return self.marked(node, "")


class MarkingLoader(SourceFileLoader):
    """Compiles a module from its source with the notes in it. Neither reads nor writes compiled
    files.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        tree = Marking(path).visit(ast.parse(self.get_data(path), path))
        return compile(tree, path, "exec", dont_inherit=True)


class MarkingFinder:
    """Finds the project's modules where they are found anyway, and gives them that loader."""

    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name.partition(".")[0] != PROJECT:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = MarkingLoader(spec.loader.name, spec.loader.path)
        return spec


def write() -> None:
    """Leave the functions of the project that were called, a line each."""
    (HERE / "reached" / f"{os.getpid()}.txt").write_text("\n".join(sorted(called)))


if (HERE / "reached").is_dir() and "repro.worker" in sys.orig_argv:
    setattr(builtins, NOTE, called.add)
    sys.meta_path.insert(0, MarkingFinder)
    atexit.register(write)
