"""Which claim each number of a cell makes: by its words, its declared ± and brackets, `parts`.

Undeclared, a ± counts as an SD and says that it is not declared; a bracket is kept as `in_brackets`
and judged by nobody.
"""

import json
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any

from repro.claims.printed import ABOUT, PrintedPart, read
from repro.claims.printed.labels import SPREAD_LABELS as STATISTICS_OF
from repro.claims.term import BINARY, SPREADS
from repro.errors import ManifestError

Fields = Mapping[str, Any]
TERM_FIELDS = (
    "statistic", "quantity", "over", "among", "of", "against", "which", "order", "where", "formula", "confidence",
)  # fmt: skip
CLAIM_FIELDS = (
    "printed", "says", "kind", "unit", "value", "sign", "precision", "about", "decimal", "spread", "parts", "total",
    "measured_by", "unverifiable", "tolerance", "note", "reads", "headline", "shared_spread",
)  # fmt: skip


def inherit(defaults: Fields, fields: Fields) -> dict[str, Any]:
    """Merge `fields` over `defaults`, the selectors of both; a field given as null is removed."""
    merged = {**defaults, **fields}
    if fields.get("measured_by"):
        merged.pop("unverifiable", None)
    elif fields.get("unverifiable"):
        merged.pop("measured_by", None)
    return {key: value for key, value in merged.items() if value is not None}


def is_selector(key: str) -> bool:
    """Tell whether a field selects a cell; every other one says something of the claim."""
    return key not in TERM_FIELDS and key not in CLAIM_FIELDS


def rename_levels(fields: Fields, aliases: Mapping[str, Mapping[Any, Any]]) -> dict[str, Any]:
    """Replace the paper's names of levels (7B, "B3: Code+NL") by ours, in operands too."""
    axis = aliases.get(fields.get("over") or "seed", {})
    found: dict[str, Any] = {}
    for key, value in fields.items():
        if key in ("of", "against") and isinstance(value, Mapping):
            found[key] = rename_levels(value, aliases)
        elif key == "among":
            found[key] = [axis.get(level, level) for level in value]
        elif key == "which":
            found[key] = axis.get(value, value)
        else:
            found[key] = (
                aliases[key].get(value, value)
                if key in aliases and isinstance(value, (str, int, float))
                else value
            )
    return found


_CENTRES = ("mean", "median")
_LOWS = ("min", "ci_low", "in_brackets_low")
_HIGHS = ("max", "ci_high", "in_brackets_high")
NOT_DECLARED = "in brackets, its meaning not declared: `spread:` or `parts:` says what it is"
OF_SO_MANY = (
    "its size depends on the number of runs; `repro audit` recomputes it from those that are "
    "printed"
)


def claim_parts(fields: Fields, where: str) -> Iterator[tuple[dict[str, Any], PrintedPart]]:
    """Yield (the claim's fields, its number) for every number of a cell. Raises ManifestError."""
    parts = _read(fields["printed"], fields, where)
    if shared := fields.get("shared_spread"):
        parts += tuple(part for part in _read(shared, fields, where) if _is_spread(part))
    items = [
        list(group)
        for _, group in groupby(
            sorted(parts, key=lambda part: part.item), key=lambda part: part.item
        )
    ]
    fields = {key: value for key, value in fields.items() if key != "shared_spread"}
    for own, item in zip(_meanings(fields, items, where), items, strict=True):
        if isinstance(own, str):
            continue
        meant = inherit({key: value for key, value in fields.items() if key != "parts"}, own or {})
        for role, part in _resolved(item, meant, bool(own), where):
            yield _with_role(meant, role, part), part


def _read(printed: str, fields: Fields, where: str) -> tuple[PrintedPart, ...]:
    try:
        return read(str(printed), fields.get("decimal"), float(fields.get("about", ABOUT)))
    except ManifestError as error:
        raise ManifestError(
            f"{where}: {error}; say `nothing: [{json.dumps(str(printed), ensure_ascii=False)}]` "
            "on the block of a cell that holds no number, `reads: text` of a word, `value:` of "
            "what no rule reads"
        ) from error


def _meanings(fields: Fields, items: list[list[PrintedPart]], where: str) -> list[Any]:
    """Return what the file says of each item of a cell: fields, or why it is no claim."""
    numbers = ", ".join(f"{part.value:g}" for item in items for part in item)
    given = fields.get("parts")
    if given is None:
        if sum(map(_stands_alone, items)) > 1:
            raise ManifestError(
                f"{where}: {fields['printed']!r} holds several numbers ({numbers}); say what "
                "each is with "
                '`parts: [{…}, "why it is no claim"]`, an item for each'
            )
        return [None] * len(items)
    if len(given) != len(items):
        raise ManifestError(
            f"{where}: field parts: found {len(given)}, expected {len(items)}, one for each "
            f"of {numbers} in "
            f"{fields['printed']!r} (a ± belongs to its number)"
        )
    return list(given)


def _is_spread(part: PrintedPart) -> bool:
    """Tell whether a number is a ± that its cell does not explain."""
    return part.role == "sd" and not part.declared


def _stands_alone(item: list[PrintedPart]) -> bool:
    """Tell whether an item of a cell is a number of its own, which nothing in the cell explains."""
    return any(
        part.role in ("value", *_CENTRES)
        or (not part.declared and part.role in ("min", "ci_low", "sd"))
        for part in item
    )


def _resolved(
    item: list[PrintedPart], fields: Fields, own: bool, where: str
) -> Iterator[tuple[str, PrintedPart]]:
    """Yield the role of each number of an item, once what the file declares is known."""
    spread = fields.get("spread")
    given = {"kind": spread} if isinstance(spread, str) else dict(spread or {})
    kind = given.get("kind")
    centre = given.get("around") or ("median" if kind == "iqr" else "mean")
    beside = {part.role for part in item} & {"sd", "se", "ci_half_width", "half_range", "iqr"}
    for part in item:
        role = part.role
        if own and kind is None and role.startswith("in_brackets"):
            role = {"in_brackets": "value", "in_brackets_low": "min", "in_brackets_high": "max"}[
                role
            ]
        elif kind and not part.declared and role not in _CENTRES:
            role = _declared(role, kind, where)
        elif role == "mean" or (role == "value" and (beside or _runs_along(fields))):
            role = centre
        level = part.level or given.get("level")
        yield (
            role,
            part.model_copy(update={"level": level, "declared": part.declared or bool(kind)}),
        )


def _runs_along(fields: Fields) -> bool:
    """Tell whether a number that names no statistic runs along an axis whose level is left open."""
    return fields.get("over") is not None and fields["over"] not in fields


def _declared(role: str, kind: str, where: str) -> str:
    """Return the statistic of a number whose spread is declared to be of a kind."""
    scalar, low, high = STATISTICS_OF[kind]
    end = low if role in _LOWS else high if role in _HIGHS else None
    if role in (*_LOWS, *_HIGHS):
        if end is None:
            raise ManifestError(
                f"{where}: field spread: found {kind}, which is one number, but the cell has two "
                "ends"
            )
        return end
    return "half_range" if (role, kind) == ("sd", "range") else scalar


def _with_role(fields: Fields, role: str, part: PrintedPart) -> dict[str, Any]:
    """Return the fields with the statistic that a part's role names, where the file leaves it open.

    A derived statistic keeps its `of`.
    """
    statistic = fields.get("statistic", "single")
    found = dict(fields)
    if role in SPREADS or (role in ("ci_low", "ci_high") and "against" not in fields):
        found.pop("measured_by", None)
    if part.level not in (None, 95) and role in ("ci_low", "ci_high", "ci_half_width"):
        found["confidence"] = part.level
    if role == "value" or (role in (*_CENTRES, "percentage") and statistic != "single"):
        return found
    if role in ("ci_low", "ci_high"):
        if "against" not in fields:
            found |= {
                "over": fields.get("over", "seed"),
                "unverifiable": fields.get("unverifiable", OF_SO_MANY),
            }
        return found | {"statistic": role}
    if role in SPREADS:
        found["unverifiable"] = fields.get(
            "unverifiable", NOT_DECLARED if role.startswith("in_br") else OF_SO_MANY
        )
    seeds = fields.get("over", "seed") == "seed"
    if statistic == "single" or (statistic in _CENTRES and seeds):
        return found | {"statistic": role}
    if role in ("min", "max") and statistic not in BINARY:
        return found | {"statistic": statistic}
    inner = {
        key: fields[key] for key in ("statistic", "over", "among", "of", "against") if key in fields
    }
    outer = fields.get("over", "seed") if statistic in BINARY else "seed"
    return found | {"statistic": role, "of": inner, "against": None, "over": outer, "among": None}
