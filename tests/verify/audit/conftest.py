"""Random papers that agree with themselves, and the way from their claims' fields through YAML to the loader."""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from repro.manifest.claim import Claim
from repro.manifest.papers import load_paper

Fields = dict[str, Any]


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[Fields]], tuple[Claim, ...]]:
    """Fields written as a paper's YAML and read back by the loader."""

    def loaded(fields: list[Fields]) -> tuple[Claim, ...]:
        folder = tmp_path_factory.mktemp("papers") / "paper"
        folder.mkdir()
        (folder / "paper.yaml").write_text('{id: paper, title: "A random paper"}')
        statements = [
            {"says": each["says"], "claims": [{k: v for k, v in each.items() if k != "says"}]} for each in fields
        ]
        (folder / "claims.yaml").write_text(
            yaml.dump({"locator": "§1", "statements": statements}, Dumper=yaml.CSafeDumper)
        )
        return load_paper(folder).claims

    return loaded


@pytest.fixture(scope="session")
def random_paper() -> Callable[[int], list[Fields]]:
    """The claims of the paper that a seed determines."""
    spec = importlib.util.spec_from_file_location("random_paper", Path(__file__).with_name("random_paper.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def fields(seed: int) -> list[Fields]:
        made: list[Fields] = module.RandomPaper(seed).fields
        return made

    return fields
