"""A claim: its digest covers what judging depends on, and its kind follows from its term."""

from collections.abc import Callable

import pytest
from pydantic import ValidationError

from repro.claims.claim import Claim, Term, default_kind, default_tolerance
from repro.claims.tolerance import DEFAULTS, ClaimKind

Written = Callable[..., tuple[Claim, ...]]
BASE = '{printed: "0.64", model: a, step: 10}'


def two(written: Written, *claims: str) -> tuple[Claim, ...]:
    """Return claims of one statement."""
    return written(
        "locator: §1\nmeasured_by: smoke\nquantity: q\nstatements:\n"
        f'  - says: "0.64; 0.65; 0.640"\n    claims: [{", ".join(claims)}]\n'
    )


@pytest.mark.parametrize(
    "changed",
    [
        '{printed: "0.65", model: a, step: 10}',
        '{printed: "0.640", model: a, step: 10}',
        '{printed: "0.64", model: b, step: 10}',
        '{printed: "0.64", model: a, step: 10, kind: recomputed}',
        '{printed: "0.64", model: a, step: 10, headline: true}',
        '{printed: "0.64", model: a, step: 10, tolerance: {rule: interval, parameters: {level: '
        "0.1}, reason: wide}}",
    ],
)
def test_whatever_judging_depends_on_changes_the_digest(written: Written, changed: str) -> None:
    one, other = two(written, BASE, changed)
    assert one.digest != other.digest


def test_words_about_a_claim_do_not_change_its_digest(written: Written) -> None:
    one, other = two(written, BASE, f'{BASE[:-1]}, note: "see the appendix"}}')
    assert one.digest == other.digest


def test_a_changed_copy_has_its_own_key_and_digest(written: Written) -> None:
    claim, _ = two(written, BASE, BASE)
    assert claim.term.key != claim.term.model_copy(update={"quantity": "r"}).key
    assert claim.digest != claim.model_copy(update={"value": 0.7}).digest


@pytest.mark.parametrize(
    ("fields", "unit", "kind"),
    [
        ({"statistic": "mean", "over": "seed"}, "", "seed_mean"),
        ({"statistic": "mean", "over": "task"}, "", "derived"),
        ({"statistic": "sd", "over": "seed"}, "", "spread"),
        ({"statistic": "sd", "over": "task"}, "", "derived"),
        ({"selector": {"step": 0}}, "", "base_model"),
        ({"selector": {"step": 500}}, "", "single_run"),
        ({}, "count", "problem_count"),
        ({}, "text", "category"),
        ({"statistic": "p_two"}, "", "test"),
        ({"statistic": "count_where"}, "", "share"),
        ({"statistic": "above"}, "", "ordering"),
        ({"statistic": "position"}, "", "ordering"),
        ({"statistic": "ratio"}, "", "derived"),
        ({"statistic": "levels"}, "", "protocol"),
    ],
)
def test_a_kind_follows_from_what_is_claimed(
    fields: dict[str, object], unit: str, kind: ClaimKind
) -> None:
    assert default_kind(Term.model_validate({"quantity": "q", **fields}), unit) == kind
    assert default_tolerance(kind) == DEFAULTS[kind]


def test_a_number_is_asked_of_a_number_alone(written: Written) -> None:
    order = '{printed: "0.65", value: true, statistic: above, of: {model: a}, against: {model: b}}'
    number, other = two(written, BASE, order)
    assert (number.is_number, number.number) == (True, 0.64)
    assert not other.is_number
    with pytest.raises(AssertionError):
        _ = other.number


def test_a_claim_cannot_be_changed_in_place(written: Written) -> None:
    claim, _ = two(written, BASE, BASE)
    with pytest.raises(ValidationError, match="frozen"):
        claim.value = 0.7  # type: ignore[misc]  # that it is refused is the promise
