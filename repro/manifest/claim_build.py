"""From the fields written in a paper's YAML to claims; manifests/papers/README.md describes the fields.

A claim's fields are a flat mapping: selector keys ("seed: 42") stand beside "printed", "statistic" and the rest. Blocks
and statements give defaults that the claims below them inherit; `null` takes an inherited field away.
"""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from difflib import get_close_matches
from typing import Any, get_args

from repro.errors import ManifestError
from repro.manifest.claim import Claim, default_kind, default_tolerance
from repro.manifest.claim_term import BINARY, SAMPLE, SELECTOR_KEYS, SHARES, TRUTHS, Term
from repro.manifest.explain import brief
from repro.manifest.printed import Part, read
from repro.manifest.tolerance import Kind, Tolerance
from repro.manifest.yaml import validate

Fields = Mapping[str, Any]
TERM_FIELDS = ("statistic", "quantity", "over", "among", "of", "against", "which", "order", "where", "formula")
CLAIM_FIELDS = ("printed", "says", "kind", "unit", "value", "sign", "precision", "total", "measured_by", "unverifiable",
                "tolerance", "note", "reads")  # fmt: skip
COMPARED = (*BINARY, *SHARES, "equals", "above", "below", "at_least", "at_most", "no_effect", "significant", "monotone",
            "highest", "lowest", "position", "identical", "proportional", "percentage", "collapse_step",
            "recovery")  # fmt: skip
"""Statistics of terms rather than of cells: the `of` they lack is the single cell."""
_ROLES = {"mean": "mean", "sd": "sd", "min": "min", "max": "max", "ci_low": "ci_low", "ci_high": "ci_high"}


def inherit(defaults: Fields, fields: Fields) -> dict[str, Any]:
    """`fields` over `defaults`, with the selectors of both; a field given as null is removed."""
    merged = {**defaults, **fields}
    if fields.get("measured_by"):
        merged.pop("unverifiable", None)
    elif fields.get("unverifiable"):
        merged.pop("measured_by", None)
    return {key: value for key, value in merged.items() if value is not None}


def is_selector(key: str) -> bool:
    return key not in TERM_FIELDS and key not in CLAIM_FIELDS


def check_fields(fields: Fields, selectors: AbstractSet[str], where: str) -> None:
    """Every key is a field or a known selector key, in operands too. Raises ManifestError."""
    for key, value in fields.items():
        if is_selector(key) and key not in selectors:
            known = ", ".join(sorted({*TERM_FIELDS, *CLAIM_FIELDS, *selectors}))
            raise ManifestError(
                f"{where}: field {key}: unknown; known are {known}; declare a new axis in paper.yaml (axes)"
            )
        if key in ("of", "against") and isinstance(value, Mapping):
            check_fields(value, selectors, where)


def renamed(fields: Fields, aliases: Mapping[str, Mapping[Any, Any]]) -> dict[str, Any]:
    """The fields with the paper's names of levels (7B, "B3: Code+NL") replaced by ours, in operands too."""
    axis = aliases.get(fields.get("over") or "seed", {})
    found: dict[str, Any] = {}
    for key, value in fields.items():
        if key in ("of", "against") and isinstance(value, Mapping):
            found[key] = renamed(value, aliases)
        elif key == "among":
            found[key] = [axis.get(level, level) for level in value]
        elif key == "which":
            found[key] = axis.get(value, value)
        else:
            found[key] = (
                aliases[key].get(value, value) if key in aliases and isinstance(value, (str, int, float)) else value
            )
    return found


def build_term(fields: Fields, where: str) -> Term:
    """The term that the term fields and selector keys among `fields` describe."""
    statistic = fields.get("statistic", "single")
    if "quantity" not in fields:
        raise ManifestError(f"{where}: field quantity: missing; say what the number is a value of")
    if fields.get("direction") in ("increasing", "decreasing"):
        raise ManifestError(f"{where}: field direction: selects a singular direction (0, 1, …); a trend is `order`")
    over = fields.get("over", "seed" if statistic in (*SAMPLE, *SHARES) else None)
    selector = {key: value for key, value in fields.items() if is_selector(key) and key != over}
    operands = _operands(statistic, fields, over, where)
    given = {key: fields[key] for key in ("among", "which", "order", "where", "formula") if key in fields}
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
    """`of` inherits quantity and selector from the claim; `against` inherits everything from `of`."""
    inherited = {key: value for key, value in fields.items() if is_selector(key) or key == "quantity"}
    if over:
        inherited.pop(over, None)
    of = fields.get("of")
    if of is None and "against" not in fields and statistic not in COMPARED:
        return {}
    first = inherit(inherited, {"statistic": of} if isinstance(of, str) else of or {})
    operands = {"of": build_term(first, where)}
    if "against" in fields:
        operands["against"] = build_term(inherit(first, fields["against"]), where)
    return operands


def build_claims(fields: Fields, where: str, axes: Iterable[str] = ()) -> list[dict[str, Any]]:
    """One claim's fields become one claim, or two ("0.641 ± 0.099", "1.09–1.19", "[−16.7, −1.5]"); ids come later."""
    check_fields(fields, SELECTOR_KEYS | set(axes), where)
    if "printed" not in fields:
        raise ManifestError(f"{where}: field printed: missing; give the paper's exact characters")
    if fields.get("statistic", "single") in TRUTHS or "value" in fields or fields.get("reads") == "text":
        return [_claim(fields, None, where)]
    try:
        parts = read(str(fields["printed"]))
    except ManifestError as error:
        raise ManifestError(f"{where}: {error}") from error
    return [_claim(_with_role(fields, part), part, where) for part in parts]


def _with_role(fields: Fields, part: Part) -> Fields:
    """The part's role names the statistic where the file leaves it open; a derived statistic keeps its `of`."""
    role = _ROLES.get(part.role)
    if role is None:
        return fields
    statistic = fields.get("statistic", "single")
    if statistic == "single":
        return {**fields, "statistic": role}
    if statistic in BINARY and role in ("min", "max"):
        inner = {key: fields[key] for key in ("statistic", "of", "against") if key in fields}
        return {**fields, "statistic": role, "of": inner, "against": None} | {"over": fields.get("over", "seed")}
    return {**fields, "statistic": role} if role in ("ci_low", "ci_high") else fields


def _claim(fields: Fields, part: Part | None, where: str) -> dict[str, Any]:
    fields = {key: value for key, value in fields.items() if value is not None}
    term = build_term(fields, where)
    value, low, high, unit = _value(fields, term, part)
    kind = fields.get("kind") or default_kind(term, unit)
    if kind not in get_args(Kind):
        near = get_close_matches(str(kind), get_args(Kind), 1)
        raise ManifestError(
            f"{where}: field kind: found {brief(kind)}{f', nearest is {near[0]}' if near else ''}; expected one of "
            f"{', '.join(get_args(Kind))}"
        )
    tolerance = fields.get("tolerance")
    return {
        "says": fields.get("says", ""), "printed": str(fields["printed"]), "term": term, "kind": kind,
        "tolerance": validate(Tolerance, tolerance, f"{where}: field tolerance") if tolerance else default_tolerance(kind),
        "value": value, "low": low, "high": high, "unit": unit,
        "digit": part.digit if part else 0.0, "qualifier": part.qualifier if part else "exact",
        "total": fields.get("total", part.total if part else None), "measured_by": fields.get("measured_by"),
        "unverifiable": fields.get("unverifiable"), "note": fields.get("note", ""),
    }  # fmt: skip


def _value(fields: Fields, term: Term, part: Part | None) -> tuple[Any, float | None, float | None, str]:
    """Value, interval, unit; `sign: -1` reads "a 32 % reduction" as −32, `precision` is a half-width of one's own."""
    low: float | None
    high: float | None
    if part is None:
        value = fields.get("value", True if term.statistic in TRUTHS else str(fields["printed"]))
        if isinstance(value, (list, tuple)):
            return tuple(value), None, None, fields.get("unit", "levels")
        if isinstance(value, (bool, str)):
            return value, None, None, fields.get("unit", "truth" if isinstance(value, bool) else "text")
        low, high, unit = float(value), float(value), fields.get("unit", "")
    else:
        value, low, high, unit = part.value, part.low, part.high, fields.get("unit", part.unit)
    if (precision := fields.get("precision")) is not None:
        low, high = value - precision, value + precision
    if fields.get("sign") == -1:
        value, low, high = -value, None if high is None else -high, None if low is None else -low
    return float(value), low, high, unit


def _first(error: ValueError) -> str:
    return str(error).replace("\n", " ")[:200]


def finish(parts: dict[str, Any], identity: str, source: str, locator: str) -> Claim:
    """The claim with its id; it is measured by a manifest or says why not, or it follows from other prints."""
    try:
        return Claim(id=identity, source=source, locator=locator, **parts)
    except ValueError as error:
        raise ManifestError(f"{source}, {locator}: {_first(error)}") from error


__all__ = ["build_claims", "build_term", "finish", "inherit", "renamed"]
