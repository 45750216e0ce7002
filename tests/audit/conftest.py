"""Random papers that agree with themselves, and the way from their claims' fields through YAML to
the loader.
"""

from collections.abc import Callable
from typing import Any

import pytest

from calibration.audit.further import random_paper as made
from calibration.audit.load import load as loaded
from calibration.audit.paper import RandomPaper
from repro.audit import Check, audit
from repro.audit.prints import PrintedNumbers
from repro.claims.claim import Claim

Fields = dict[str, Any]
Read = Callable[..., PrintedNumbers]
Said = Callable[..., list[Check]]


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


@pytest.fixture(scope="session")
def read() -> Read:
    """The printed numbers of a made-up paper: read({"printed": "0.5", "quantity": "loss"}, …)."""

    def run(*rows: Fields) -> PrintedNumbers:
        claims = ({"says": row["printed"], "unverifiable": "made up", **row} for row in rows)
        return PrintedNumbers(loaded(list(claims)))

    return run


@pytest.fixture(scope="session")
def said(read: Read) -> Said:
    """The checks of one kind of a made-up paper: said("mean", {"printed": …}, …)."""
    return lambda kind, *rows: [one for one in audit(read(*rows).claims) if one.check == kind]
