"""Random papers that agree with themselves, and the way from their claims' fields through YAML to the loader."""

from collections.abc import Callable
from types import ModuleType
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
def random_paper(helper: Callable[[str], ModuleType]) -> Callable[[int], list[Fields]]:
    """The claims of the paper that a seed determines."""
    module = helper("verify/audit/random_paper.py")

    def fields(seed: int) -> list[Fields]:
        made: list[Fields] = module.RandomPaper(seed).fields
        return made

    return fields
