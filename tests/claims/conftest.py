"""What tests of claims need: a paper's YAML, and what it is read as."""

from collections.abc import Callable
from pathlib import Path

import pytest

from repro.claims.claim import Claim
from repro.claims.papers import load_paper


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., tuple[Claim, ...]]:
    """The claims of a paper "made" with this block: written("locator: …", head="axes: [cup]")."""

    def run(block: str, head: str = "") -> tuple[Claim, ...]:
        home = tmp_path / "made"
        home.mkdir(exist_ok=True)
        (home / "paper.yaml").write_text(f"id: made\ntitle: Made up\n{head}\n")
        (home / "claims.yaml").write_text(block)
        return load_paper(home).claims

    return run
