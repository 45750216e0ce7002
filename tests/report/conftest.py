"""Claims of one paper as its YAML would say them, and verdicts on them, given or judged."""

from collections.abc import Callable, Mapping
from types import ModuleType

import pytest

from repro.audit import Audited
from repro.claims.build import build_claims, finish, inherit
from repro.claims.claim import Claim
from repro.verify.assess import assess
from repro.verify.verdict import Verdict

Helper = Callable[[str], ModuleType]
EI = "entanglement_intensity"
AFTER = {"model": "m", "condition": "B3", "step": 5000}
WRITTEN: tuple[Mapping[str, object], ...] = (
    {"printed": "0.641 ± 0.009", **AFTER, "says": "EI after fine-tuning is 0.641 ± 0.009"},
    {"printed": "0.945", "model": "m", "step": 0, "statistic": "mean"},
    {
        "printed": "0.100",
        "model": "elsewhere",
        "condition": "B3",
        "step": 5000,
        "statistic": "mean",
    },
    {"printed": "60×", "unverifiable": "about another paper's models"},
    {"printed": "8", "statistic": "count", **AFTER},
    {"printed": "5", "statistic": "count", "model": "qwen2.5-coder-7b"},
)


def claims_from(*written: Mapping[str, object], **shared: object) -> list[Claim]:
    """Claims from the fields that a paper's YAML would hold, all of one table."""
    defaults = {"measured_by": "scale_ladder", "quantity": EI, **shared}
    return [
        finish(parts, f"paper/c{number}" + (f"~{part}" if part else ""), "paper", "Table 1")
        for number, fields in enumerate(written)
        for part, parts in enumerate(build_claims(inherit(defaults, fields), f"claim {number}"))
    ]


@pytest.fixture(scope="session")
def claims_of() -> Callable[..., list[Claim]]:
    """Claims from the fields that a paper's YAML would hold."""
    return claims_from


@pytest.fixture(scope="session")
def verdict_of() -> Callable[..., Verdict]:
    """A verdict on a claim: not run, unless the fields say otherwise."""

    def make(claim: Claim, **fields: object) -> Verdict:
        told = claim.model_dump(include={"id", "source", "locator", "printed", "value", "kind"})
        plain = {"basis": claim.basis, "outcome": "not_run", "tolerance": "t", "reason": "r"}
        return Verdict.model_validate({**told, **plain, **fields})

    return make


@pytest.fixture(scope="session")
def audited() -> Audited:
    """What an audit says of the judged claims: one stands against another print."""
    checked = frozenset({"paper/c0", "paper/c0~1", "another"})
    return Audited({"paper/c0": ["mean:Table 2"]}, checked, ("paper/c0",))


@pytest.fixture(scope="session")
def judged(helper: Helper) -> tuple[list[Claim], list[Verdict]]:
    """Claims of every fate, and the verdicts of three runs on them."""
    store = helper("verify/conftest.py").Store()
    claims = claims_from(*WRITTEN)
    sealed = {claim.id: claim.digest for claim in claims}
    for seed, value in enumerate([0.90, 0.91, 0.89]):
        store.run(seed=seed, values={(EI, 0): 0.9, (EI, 5000): value}, claims=sealed)
    verdicts = assess(claims, store.connection, audit={claims[0].id: ("mean:Table 2",)})
    store.connection.close()
    return claims, verdicts
