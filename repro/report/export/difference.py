"""What differs between two results folders, as text, JSON, and Markdown for a pull request."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from repro.verify.difference import CELL, Change, Difference

_MOST = 20
"""Cells that are listed; JSON has all."""
HEADLINE = {0: "nothing but noise", 1: "they differ", 3: "too little is there to tell"}


def lines(found: Difference) -> Iterator[str]:
    """Yield the text, the answer first."""
    counted = Counter(change.kind for change in found.changes)
    yield f"{HEADLINE[found.code]}: {found.same_runs} runs of one name in both" + _bits(found)
    for words in found.left_out:
        yield f"not believed: {words}"
    for side, names in (("first", found.only_one), ("second", found.only_other)):
        if names:
            yield f"only in the {side}: {_listed(names)}"
    for slot, fields in found.renamed.items():
        yield f"{slot}: other inputs: {_listed(fields) or 'the way names were made'}"
    for claim, before, after in found.verdicts:
        yield f"{claim}: {before} → {after}"
    shown = [change for change in found.changes if change.kind != "noise"]
    for change in shown[:_MOST]:
        yield f"{_named(change)}: {_words(change)}"
    if len(shown) > _MOST:
        yield f"and {len(shown) - _MOST} more; --json has all"
    if counted["noise"]:
        largest = max(
            (abs(c.spreads or 0.0) for c in found.changes if c.kind == "noise"), default=0.0
        )
        yield (
            f"{counted['noise']} cells of other runs differ by noise, {largest:.2g} SD from seed "
            "to seed at most"
        )


def _bits(found: Difference) -> str:
    if not found.numbers:
        return ""
    rest = "" if found.same_bits == found.numbers else f", largest relative gap {found.worst:.1e}"
    return f", {found.same_bits} of {found.numbers} numbers the same bits{rest}"


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _named(change: Change) -> str:
    """Say a cell in words: the manifest, model and condition, then what was measured."""
    manifest, model, condition, step, quantity, specification, _, direction, concept, probes = (
        change.cell
    )
    parts = [
        f"step {step}",
        quantity,
        concept,
        None if direction is None else f"direction {direction}",
        probes,
    ]
    if specification != "default":
        parts.append(specification)
    return f"{manifest}/{model}-{condition} " + ", ".join(
        str(part) for part in parts if part is not None
    )


def _words(change: Change) -> str:
    values = " → ".join(
        "undefined" if value is None else f"{value:.6g}" for value in (change.one, change.other)
    )
    match change.kind:
        case "apart":
            return f"{values}, though the runs have one name"
        case "undefined":
            return values
        case "no spread":
            return f"{values}; one run a side shows no spread to compare with"
    sides = f"n = {change.runs[0]} and {change.runs[1]}"
    size = "" if change.spreads is None else f", {change.spreads:+.2g} SD from seed to seed"
    return f"{values}{size} ({sides}, p = {change.p:.2g})"


def record(found: Difference) -> dict[str, Any]:
    """Return the difference as JSON has it."""
    return {
        "code": found.code, "answer": HEADLINE[found.code], "same_runs": found.same_runs, "numbers": found.numbers,
        "same_bits": found.same_bits, "largest_relative_gap": found.worst, "only_in_first": list(found.only_one),
        "only_in_second": list(found.only_other), "other_inputs": {k: list(v) for k, v in found.renamed.items()},
        "left_out": list(found.left_out),
        "verdicts": [{"claim": claim, "first": before, "second": after} for claim, before, after in found.verdicts],
        "cells": [
            {**dict(zip(CELL, change.cell, strict=True)), "kind": change.kind, "first": change.one, "second": change.other,
             "runs": list(change.runs), "sd": change.sd, "spreads": change.spreads, "p_holm": change.p}
            for change in found.changes
        ],
    }  # fmt: skip


def difference_markdown(found: Difference) -> str:
    """Write the difference for a pull request: the answer, then what differs, as tables."""
    first, *rest = lines(found)
    shown = [change for change in found.changes if change.kind != "noise"][:_MOST]
    parts = [f"**{first[0].upper()}{first[1:]}**", ""]
    if found.verdicts:
        rows = (f"| `{claim}` | {before} | {after} |" for claim, before, after in found.verdicts)
        parts += ["| claim | first | second |", "|---|---|---|", *rows, ""]
    if shown:
        parts += [
            "| cell | difference |",
            "|---|---|",
            *(f"| {_named(c)} | {_words(c)} |" for c in shown),
            "",
        ]
    cells, claims = (
        {f"{_named(c)}: {_words(c)}" for c in shown},
        {f"{c}: {a} → {b}" for c, a, b in found.verdicts},
    )
    return (
        "\n".join([*parts, *(f"- {line}" for line in rest if line not in cells | claims)]).rstrip()
        + "\n"
    )
