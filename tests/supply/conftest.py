"""A twin's folder, as its authors would send it."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def twin(helper: Callable[[str], ModuleType]) -> ModuleType:
    """What makes such folders."""
    return helper("supply/twin.py")


@pytest.fixture
def sent(twin: ModuleType, tmp_path: Path) -> Path:
    """Values, activations and labels of the twin's two runs."""
    folder: Path = twin.send(tmp_path / "sent")
    return folder
