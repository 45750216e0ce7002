"""A paper that agrees with itself raises no alarm, whatever it states; every kind of check is among what it states."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from repro.manifest.claim import Claim
from repro.verify.audit import audit

Fields = dict[str, Any]
Load = Callable[[list[Fields]], tuple[Claim, ...]]
KINDS = {
    "mean", "range", "median", "quartile", "extreme", "count", "percentage", "difference", "relative_change", "ratio",
    "orders_of_magnitude", "formula", "rank", "theory_bound", "correlation", "collapse_step", "recovery", "quantifier",
    "superlative", "ordering", "monotone", "identical", "proportional", "sd", "sd_possible", "same_value", "unnamed_seed",
    "base_without_seed", "z", "p", "confidence_interval", "significance", "no_effect", "grid", "probe_grid",
    "collapse_trajectory", "crosstalk_identity", "total", "listed", "rank_limit", "class_counts", "sd_denominator",
}  # fmt: skip


@pytest.mark.worker
@pytest.mark.parametrize("decade", range(10))
def test_a_hundred_papers_that_agree_with_themselves_raise_no_alarm(
    decade: int, load: Load, random_paper: Callable[[int], list[Fields]]
) -> None:
    seen: Counter[str] = Counter()
    for seed in range(10 * decade, 10 * decade + 10):
        checks = audit(load(random_paper(seed)))
        alarms = [
            f"paper {seed}: {check.id}: {check.explanation}" for check in checks if check.verdict == "inconsistent"
        ]
        assert not alarms, "\n".join(alarms)
        seen.update(check.check for check in checks if check.verdict == "consistent")
    # a mixed denominator and an unnamed seed are only spoken of when something is wrong; absence of an effect is never shown
    silent = {"sd_denominator", "unnamed_seed", "no_effect"}
    assert set(seen) >= KINDS - silent


def test_the_list_of_kinds_is_what_the_audit_can_say(load: Load, random_paper: Any) -> None:
    said = {check.check for seed in range(20) for check in audit(load(random_paper(seed)))}
    assert said <= KINDS
