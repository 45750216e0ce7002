"""Random papers that agree with themselves, and the way from their claims' fields through YAML to
the loader.
"""

from collections.abc import Callable
from typing import Any

import pytest

from calibration.audit.further import random_paper as made
from calibration.audit.load import load as loaded
from calibration.audit.paper import RandomPaper
from repro.claims.claim import Claim

Fields = dict[str, Any]


@pytest.fixture(scope="session")
def load() -> Callable[[list[Fields]], tuple[Claim, ...]]:
    """Fields written as a paper's YAML and read back by the loader."""
    return loaded


@pytest.fixture(scope="session")
def random_paper() -> Callable[[int], list[Fields]]:
    """The claims of the paper that a seed determines: runs, tests, trajectories, designs."""
    return lambda seed: RandomPaper(seed).fields


@pytest.fixture(scope="session")
def full_paper() -> Callable[[int], list[Fields]]:
    """The same with everything else that is checked: ratings, scores of one table, matrices, parts
    and wholes.
    """
    return lambda seed: made(seed).fields
