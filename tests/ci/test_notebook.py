"""The notebook is executed as it stands, and its stored outputs are what it gives."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "central_figure.ipynb"


@pytest.fixture
def runner(helper: Callable[[str], ModuleType]) -> ModuleType:
    """ci/notebook.py."""
    return helper("../ci/notebook.py")


def cell(source: str) -> dict[str, Any]:
    return {"cell_type": "code", "source": source.splitlines(True), "outputs": []}


def test_the_stored_outputs_are_those_of_the_code(
    runner: ModuleType, evidence: Path, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "evidence").symlink_to(evidence)
    stored = json.loads(NOTEBOOK.read_text("utf-8"))
    done = runner.execute(stored, tmp_path / "docs")
    assert done == stored, "run `make notebook`, and look at it"
    assert "<svg" in json.dumps(stored)


def test_an_output_is_what_is_printed_and_the_last_value(
    runner: ModuleType, tmp_path: Path
) -> None:
    """And names live on from cell to cell; a cell that ends in a statement has no value."""
    notebook = {"cells": [cell("a = 2\nprint(a)\na + 1"), cell("b = a"), cell("b * 5")]}
    first, second, third = runner.execute(notebook, tmp_path)["cells"]
    assert [output["output_type"] for output in first["outputs"]] == ["stream", "execute_result"]
    assert first["outputs"][1]["data"] == {"text/plain": ["3"]}
    assert second["outputs"] == []
    assert third["outputs"][0]["data"]["text/plain"] == ["10"]
    with pytest.raises(ZeroDivisionError):
        runner.execute({"cells": [cell("1 / 0")]}, tmp_path)
