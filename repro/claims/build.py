"""From the fields in a paper's YAML to claims; manifests/papers/README.md describes the fields.

A claim's fields are a flat mapping: selector keys ("seed: 42") stand beside "printed", "statistic"
and the rest. Blocks and statements give defaults that the claims below them inherit; `null` takes
an inherited field away.
"""

from typing import Any

from repro.claims.claim import Claim, default_kind, default_tolerance
from repro.claims.formula import check_formula
from repro.claims.parts import Fields, claim_parts, inherit, is_selector
from repro.claims.printed import PrintedPart
from repro.claims.term import BINARY, SAMPLE, SHARES, SPREADS, TRUTHS, Term
from repro.claims.tolerance import ClaimKind, Tolerance
from repro.errors import ManifestError
from repro.manifest.yaml import validate

_COMPARED = (*BINARY, *SHARES, "equals", "above", "below", "at_least", "at_most", "no_effect", "significant", "monotone",
            "highest", "lowest", "position", "identical", "proportional", "percentage", "collapse_step",
            "recovery")  # fmt: skip
"""Statistics of terms rather than of cells: the `of` they lack is the single cell."""
_PERCENT = ("relative_change", "share", "percentage")
"""Statistics in percent: "one third" of them is 33.3."""


def build_term(fields: Fields, where: str) -> Term:
    """Build the term that the term fields and selector keys among `fields` describe."""
    statistic = fields.get("statistic", "single")
    if "quantity" not in fields:
        raise ManifestError(f"{where}: field quantity: missing; say what the number is a value of")
    if fields.get("direction") in ("increasing", "decreasing"):
        raise ManifestError(
            f"{where}: field direction: selects a singular direction (0, 1, …); a trend is `order`"
        )
    over = fields.get("over", "seed" if statistic in (*SAMPLE, *SHARES, *SPREADS) else None)
    if statistic == "single" and "of" not in fields:
        # a cell runs along nothing; what runs over seeds or trials is a statistic of such cells
        over = None
    selector = {key: value for key, value in fields.items() if is_selector(key) and key != over}
    operands = _operands(statistic, fields, over, where)
    given = {
        key: fields[key]
        for key in ("among", "which", "order", "where", "formula", "confidence")
        if key in fields
    }
    if "formula" in given:
        check_formula(given["formula"], where)
    try:
        return Term.model_validate(
            {
                "statistic": statistic,
                "quantity": fields["quantity"],
                "selector": selector,
                "over": over,
                **operands,
                **given,
            }
        )
    except ValueError as error:
        raise ManifestError(f"{where}: {_first(error)}") from error


def _operands(statistic: str, fields: Fields, over: str | None, where: str) -> dict[str, Term]:
    """Build `of`, which inherits quantity and selector, and `against`, which inherits from `of`."""
    inherited = {
        key: value for key, value in fields.items() if is_selector(key) or key == "quantity"
    }
    if over:
        inherited.pop(over, None)
    of = fields.get("of")
    if of is None and "against" not in fields and statistic not in _COMPARED:
        return {}
    first = inherit(inherited, {"statistic": of} if isinstance(of, str) else of or {})
    operands = {"of": build_term(first, where)}
    if fields.get("against") is not None and statistic in SAMPLE:
        raise ManifestError(
            f"{where}: field against: a {statistic} over {over} has none; where a row of averages "
            "meets a column of differences, say under `cells` what its number is "
            "(docs/your_paper.md)"
        )
    if "against" in fields:
        operands["against"] = build_term(inherit(first, fields["against"]), where)
    return operands


def build_claims(fields: Fields, where: str) -> list[dict[str, Any]]:
    """Return one claim, or one for every number of its cell ("0.641 ± 0.099", "1.09–1.19").

    Ids come later.
    """
    if "printed" not in fields:
        raise ManifestError(f"{where}: field printed: missing; give the paper's exact characters")
    if (
        fields.get("statistic", "single") in TRUTHS
        or "value" in fields
        or fields.get("reads") == "text"
    ):
        return [_claim(fields, None, where)]
    return [_claim(own, part, where) for own, part in claim_parts(fields, where)]


def _claim(fields: Fields, part: PrintedPart | None, where: str) -> dict[str, Any]:
    fields = {key: value for key, value in fields.items() if value is not None}
    term = build_term(fields, where)
    value, low, high, unit = _value(fields, term, part)
    kind: ClaimKind = fields.get("kind") or default_kind(term, unit)
    tolerance = fields.get("tolerance")
    return {
        "says": fields.get("says", ""), "printed": str(fields["printed"]), "term": term, "kind": kind,
        "tolerance": validate(Tolerance, tolerance, f"{where}: field tolerance") if tolerance else default_tolerance(kind),
        "value": value, "low": low, "high": high, "unit": unit,
        "digit": part.digit if part else 0.0, "qualifier": part.qualifier if part else "exact",
        "total": fields.get("total", part.total if part else None), "measured_by": fields.get("measured_by"),
        "unverifiable": fields.get("unverifiable"), "note": fields.get("note", ""),
        "declared": part is None or part.declared or term.statistic not in ("sd", "ci_low", "ci_high", *SPREADS),
        "headline": fields.get("headline", False),
    }  # fmt: skip


def _value(
    fields: Fields, term: Term, part: PrintedPart | None
) -> tuple[Any, float | None, float | None, str]:
    """Return value, interval and unit.

    `sign: -1` reads "a 32 % reduction" as −32; `precision` gives the half-width.
    """
    low: float | None
    high: float | None
    if part is None:
        value = fields.get("value", True if term.statistic in TRUTHS else str(fields["printed"]))
        if isinstance(value, (list, tuple)):
            return tuple(value), None, None, fields.get("unit", "levels")
        if isinstance(value, (bool, str)):
            return (
                value,
                None,
                None,
                fields.get("unit", "truth" if isinstance(value, bool) else "text"),
            )
        low, high, unit = float(value), float(value), fields.get("unit", "")
    else:
        value, low, high, unit = part.value, part.low, part.high, fields.get("unit", part.unit)
        if part.unit == "fraction" and term.statistic in _PERCENT:
            value, low, high, unit = 100 * value, 100 * (low or 0.0), 100 * (high or 0.0), "percent"
    if (precision := fields.get("precision")) is not None:
        low, high = value - precision, value + precision
    if fields.get("sign") == -1:
        value, low, high = -value, None if high is None else -high, None if low is None else -low
    return float(value), low, high, unit


def _first(error: ValueError) -> str:
    return str(error).replace("\n", " ")[:200]


def finish(parts: dict[str, Any], identity: str, source: str, locator: str) -> Claim:
    """Return the claim with its id. Raises ManifestError where its fields do not go together."""
    try:
        return Claim(id=identity, source=source, locator=locator, **parts)
    except ValueError as error:
        raise ManifestError(f"{source}, {locator}: {_first(error)}") from error


__all__ = ["build_claims", "build_term", "finish", "inherit"]
