"""Execute a notebook with this interpreter and keep its outputs in it, without Jupyter.

    make notebook                  (.venv/bin/python ci/notebook.py docs/central_figure.ipynb)

Cells are run in order in one namespace, in the notebook's folder. What a cell prints is kept, and
the value of its last line as Jupyter would show it: as SVG where it has one, else as text.
"""

import ast
import contextlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

Notebook = dict[str, Any]


def execute(notebook: Notebook, folder: Path) -> Notebook:
    """Return the notebook with the outputs of its code cells, run in a folder.

    Whatever a cell raises passes.
    """
    names: dict[str, Any] = {"__name__": "__main__"}
    done = json.loads(json.dumps(notebook))
    code = [cell for cell in done["cells"] if cell["cell_type"] == "code"]
    with contextlib.chdir(folder):
        for number, cell in enumerate(code, 1):
            cell["execution_count"] = number
            cell["outputs"] = _outputs("".join(cell["source"]), names, number)
    return done


def _outputs(source: str, names: dict[str, Any], number: int) -> list[dict[str, Any]]:
    """Run one cell; return what it printed and the value of its last line."""
    tree, printed, value = ast.parse(source), io.StringIO(), None
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, f"cell {number}", "exec"), names)
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), f"cell {number}", "eval"), names)
    found: list[dict[str, Any]] = []
    if text := printed.getvalue():
        found.append({"name": "stdout", "output_type": "stream", "text": text.splitlines(True)})
    if value is not None:
        data = {"text/plain": repr(value).splitlines(True)}
        if hasattr(value, "_repr_svg_"):
            data = {"image/svg+xml": value._repr_svg_().splitlines(True), **data}
        found.append(
            {"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"}
        )  # fmt: skip
    return found


def main(path: Path) -> None:
    """Execute a notebook in its own folder and write it back."""
    done = execute(json.loads(path.read_text("utf-8")), path.resolve().parent)
    path.write_text(json.dumps(done, indent=1, ensure_ascii=False) + "\n", "utf-8")
    print(f"{path}: executed", file=sys.stderr)


if __name__ == "__main__":
    os.environ.pop("REPRO_RESULTS", None)
    main(Path(sys.argv[1]))
