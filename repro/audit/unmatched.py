"""Operands that nothing printed answers to: a level or a quantity that is spelt in two ways turns
its checks off without a word.
"""

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from repro.audit.check import Check
from repro.claims.claim import Claim
from repro.claims.formula import parse_formula
from repro.claims.selector import Scalar, normal_selector
from repro.claims.term import SPREADS, Term

_SUMMARIES = ("mean", "median", "min", "max", "sum", "pooled", "highest", "lowest", "monotone")
_SHOWN = 5
"""Names that a line lists, and lines, before the rest are counted."""
ALIKE = 0.6
"""From this likeness on a quantity may be another spelling of one."""
Missing = tuple[str, str, Scalar]
"""(quantity, axis, level): without an axis, no print is of the quantity; without a level, none
names the axis.
"""


@dataclass(frozen=True)
class _Cells:
    """What claims print: quantity → axis → levels."""

    levels: dict[str, dict[str, dict[Scalar, None]]]
    spreads: frozenset[tuple[str, str | None]]
    """(quantity, axis) of runs that are printed as a spread."""

    def missing(self, leaf: Term) -> Iterator[Missing]:
        """Return the quantity of an operand that no print is of, else the levels that none of its
        has.
        """
        known = self.levels.get(leaf.quantity)
        if known is None:
            yield leaf.quantity, "", ""
            return
        for axis, level in normal_selector(leaf.selector).items():
            if level not in known.get(axis, ()):
                yield leaf.quantity, axis, level

    def missing_axis(self, term: Term) -> Iterator[Missing]:
        """Return the axis of a summary that no cell of the quantity names, and no printed spread,
        of which the runs may well not be printed.
        """
        quantity, axis = term.leaves()[0].quantity, term.over
        known = self.levels.get(quantity)
        if axis in (None, "seed") or known is None or axis in known or term.among:
            return
        if term.statistic in _SUMMARIES and (quantity, axis) not in self.spreads:
            yield quantity, str(axis), ""

    def beside(self, missing: Missing) -> str:
        """Return what is printed in its place, the most alike first."""
        quantity, axis, level = missing
        names: list[str] = list(self.levels)
        wanted, known = quantity, self.levels.get(quantity, {})
        if axis:
            names = list(map(str, known.get(axis, ()))) if level != "" else list(known)
            wanted = str(level) if level != "" else axis
        alike = sorted(names, key=lambda name: -_likeness(wanted, name))
        if not axis:
            alike = [name for name in alike if _likeness(wanted, name) >= ALIKE]
        more = f" and {len(alike) - _SHOWN} more" if len(alike) > _SHOWN else ""
        nothing = f"none names its {axis}" if axis else "no other name is like it"
        return f"printed are: {', '.join(alike[:_SHOWN])}{more}" if alike else nothing


def _likeness(one: str, other: str) -> float:
    return SequenceMatcher(None, one, other).ratio()


def describe_unmatched(checks: Sequence[Check], claims: Sequence[Claim]) -> list[str]:
    """Yield a line for every operand that undecidable checks found no print of, the most checks
    first: "40 checks found no print of accuracy (set expected); printed are: expekted, observed".
    """
    by_id = {claim.id: claim for claim in claims}
    cells = _printed(claims)
    found: Counter[Missing] = Counter()
    for check in checks:
        claim = by_id.get(check.inputs[0])
        if check.verdict == "undecidable" and claim is not None:
            found.update({one for leaf in _operands(claim.term) for one in cells.missing(leaf)})
            found.update(cells.missing_axis(claim.term))
    lines = [_line(missing, number, cells) for missing, number in found.most_common(_SHOWN)]
    if len(found) > _SHOWN:
        rest = sum(number for _, number in found.most_common()[_SHOWN:])
        lines.append(
            f"{len(found) - _SHOWN} more operands are not printed, of {_checks(rest)} "
            "(--all shows the checks)"
        )
    return lines


def _printed(claims: Sequence[Claim]) -> _Cells:
    """Return the cells that claims print, as values or as statistics of one quantity."""
    levels: dict[str, dict[str, dict[Scalar, None]]] = defaultdict(dict)
    for claim in claims:
        if claim.term.against is None and claim.is_number:
            for leaf in claim.term.leaves():
                axes = levels[leaf.quantity]
                for axis, level in normal_selector(leaf.selector).items():
                    axes.setdefault(axis, {})[level] = None
    runs = [claim.term for claim in claims if claim.statistic in ("sd", *SPREADS, "ci_low")]
    return _Cells(levels, frozenset((term.leaves()[0].quantity, term.over) for term in runs))


def _operands(term: Term) -> Iterator[Term]:
    """Return the cells that a term compares or computes with; none where it runs along an axis, of
    which a paper may print no single level.
    """
    if term.statistic == "formula":
        names = ast.walk(parse_formula(term.formula or "0"))
        for name in dict.fromkeys(node.id for node in names if isinstance(node, ast.Name)):
            if name != "rounded":
                yield Term(quantity=name, selector=term.selector)
    elif term.against is not None:
        yield from term.leaves()


def _line(missing: Missing, number: int, cells: _Cells) -> str:
    quantity, axis, level = missing
    which = f" ({axis} {level})" if axis and level != "" else f" along {axis}" if axis else ""
    return f"{_checks(number)} found no print of {quantity}{which}; {cells.beside(missing)}"


def _checks(number: int) -> str:
    return "1 check" if number == 1 else f"{number} checks"
