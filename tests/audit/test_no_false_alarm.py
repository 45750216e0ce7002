"""A paper that agrees with itself raises no alarm, whatever it states; every kind of check is among
what it states.
"""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from repro.audit import audit
from repro.claims.claim import Claim

Fields = dict[str, Any]
Load = Callable[[list[Fields]], tuple[Claim, ...]]
KINDS = {
    "mean", "range", "median", "quartile", "extreme", "count", "percentage", "difference", "relative_change", "ratio",
    "orders_of_magnitude", "formula", "rank", "theory_bound", "correlation", "collapse_step", "recovery", "quantifier",
    "superlative", "ordering", "monotone", "identical", "proportional", "sd", "sd_possible", "same_value", "unnamed_seed",
    "base_without_seed", "z", "p", "confidence_interval", "significance", "no_effect", "grid", "probe_grid",
    "collapse_trajectory", "crosstalk_identity", "total", "listed", "rank_limit", "class_counts", "sd_denominator", "bounds",
    "spread", "mean_interval", "whole_mean", "whole_sd", "binary_sd", "sd_bound", "sum", "pooled", "confusion", "pass_at_k",
    "positive_semidefinite", "mean_cosine", "one_run", "directions", "duplicated_rows", "last_digits",
}  # fmt: skip


@pytest.mark.worker
@pytest.mark.parametrize("decade", range(5))
def test_fifty_papers_that_agree_with_themselves_raise_no_alarm(
    decade: int, load: Load, full_paper: Callable[[int], list[Fields]]
) -> None:
    seen: Counter[str] = Counter()
    for seed in range(10 * decade, 10 * decade + 10):
        checks = audit(load(full_paper(seed)))
        alarms = [
            f"paper {seed}: {check.id}: {check.explanation}"
            for check in checks
            if check.verdict == "inconsistent"
        ]
        assert not alarms, "\n".join(alarms)
        seen.update(check.check for check in checks if check.verdict == "consistent")
    # only spoken of when something is wrong; and absence of an effect is never shown
    silent = {"sd_denominator", "unnamed_seed", "no_effect", "duplicated_rows"}
    assert set(seen) >= KINDS - silent


@pytest.mark.worker
def test_the_list_of_kinds_is_what_the_audit_can_say(load: Load, full_paper: Any) -> None:
    said = {check.check for seed in range(5) for check in audit(load(full_paper(seed)))}
    assert said <= KINDS
