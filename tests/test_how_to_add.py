"""The recipes of docs/how_to_add.md, followed: what one adds by them is found and works."""

import types
from collections.abc import Iterator

import numpy as np
import pytest

import repro.audit
from calibration.audit.load import load
from repro.audit import audit, audit_claims
from repro.audit.check import Check
from repro.audit.prints import PrintedNumbers
from repro.diagnose.further import CHOICES, WriteRow, further, rows_of
from repro.evidence.measurement import Measurement
from repro.geometry.diagnosis import Geometry, diagnose
from repro.geometry.labels import Labels
from repro.geometry.undefined import Array, Undefined

SHARED = {"quantity": "steps_done", "model": "m", "statistic": "single", "unverifiable": "made up"}
PAPER = [
    {"says": f"{steps} steps", "printed": str(steps), "seed": seed, **SHARED}
    for seed, steps in enumerate((48, 51))
]


def even_steps(prints: PrintedNumbers) -> Iterator[Check]:
    """Check that steps are even: nonsense of its own, so that no other check finds it."""
    for claim in prints.claims:
        if claim.quantity == "steps_done":
            odd = bool(claim.number % 2)
            yield Check(
                id=f"even_steps:{claim.id}",
                check="even_steps",
                inputs=(claim.id,),
                papers=(claim.source,),
                locator=claim.locator,
                printed=claim.value,
                recomputed=claim.number - odd,
                verdict="inconsistent" if odd else "consistent",
                severity="substantive" if odd else "none",
                explanation=f"{claim.printed} steps",
            )


def test_an_audit_check_is_a_module_with_checks_in_the_list_of_families(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claims = load(PAPER)
    assert not [check for check in audit(claims) if check.check == "even_steps"]
    family = types.ModuleType("even_steps")
    family.checks = even_steps  # type: ignore[attr-defined]
    monkeypatch.setattr(repro.audit, "FAMILIES", (*repro.audit.FAMILIES, family))
    found = [check for check in audit(claims) if check.check == "even_steps"]
    assert [check.verdict for check in found] == ["consistent", "inconsistent"]
    assert audit_claims(claims).findings[found[1].inputs[0]] == [found[1].id]


def _norm(X: Array, labels: Labels, _: Geometry, row: WriteRow) -> Iterator[Measurement]:
    """Yield the largest norm of an activation; undefined for one concept."""
    known = len(labels.concepts) > 1
    yield row(
        quantity="largest_norm",
        value=float(np.linalg.norm(X, axis=1).max()) if known else Undefined("one concept"),
    )


@pytest.mark.parametrize("concepts", [1, 2])
def test_a_diagnostic_is_a_function_in_the_table_of_choices(
    concepts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    columns = {f"c{k}": ["a", "b"] * 20 if k else ["x"] * 20 + ["y"] * 20 for k in range(concepts)}
    labels, X = Labels.of(columns), rng.normal(size=(40, 6))
    geometry = diagnose(X, labels)
    monkeypatch.setitem(CHOICES, "norm", _norm)
    (made,) = further("norm", X, labels, geometry, geometry.trace, rows_of(0, "post_norm", 40))
    assert (made.quantity, made.n) == ("largest_norm", 40)
    if concepts == 1:
        assert (made.value, made.reason) == (None, "one concept")
    else:
        assert made.value == pytest.approx(np.sqrt((X**2).sum(1)).max())
