"""Correlations and cosines of one set of things, two at a time: can they all be at once?

`positive_semidefinite`: they are products of vectors of length one, so their matrix has no negative
eigenvalue. A vector v with vᵀRv < 0 for every matrix that the printed decimals allow proves a
contradiction.
"""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from repro.audit.check import Check, CheckVerdict, Severity, allowed_interval
from repro.audit.prints import PrintedNumbers, describe
from repro.audit.recompute import check_of
from repro.claims.algebra.interval import point
from repro.claims.claim import Claim

_NAMES = re.compile(r"(.*_)?(correlation|cosine|pearson|spearman)")
_MOST = 40
"""Most things in one matrix; of more, the first are looked at."""
_Group = tuple[str, str, str]
_Pairs = dict[frozenset[str], Claim]
_SLACK = 1e-9


def checks(prints: PrintedNumbers) -> Iterator[Check]:
    """Yield one check for every matrix of three things or more."""
    groups: dict[_Group, _Pairs] = defaultdict(dict)
    for claim in prints.claims:
        if claim.is_number and claim.qualifier == "exact":
            for group, pair in _pairs(claim):
                groups[group].setdefault(pair, claim)
    for pairs in groups.values():
        for things in _complete(pairs):
            yield positive_semidefinite(things, pairs, prints)


def _pairs(claim: Claim) -> Iterator[tuple[_Group, frozenset[str]]]:
    """Yield the pair of things that a claim is of, in each way that it may be read.

    With each pair goes what it shares with the rest of its matrix.
    """
    term = claim.term
    if (
        term.statistic in ("pearson", "spearman")
        and term.of is not None
        and term.against is not None
    ):
        yield (
            (claim.source, term.statistic, f"{term.over} {term.among}"),
            frozenset((term.of.key, term.against.key)),
        )
    elif _NAMES.fullmatch(claim.quantity) and term.statistic == "single" and term.of is None:
        for one, other in itertools.combinations(sorted(term.selector), 2):
            ends = str(term.selector[one]), str(term.selector[other])
            rest = sorted((k, str(v)) for k, v in term.selector.items() if k not in (one, other))
            if ends[0] != ends[1]:
                yield (claim.source, claim.quantity, f"{one} {other} {rest}"), frozenset(ends)


def _complete(pairs: _Pairs) -> list[tuple[str, ...]]:
    """Return all things where every pair is printed; else every three of which all pairs are."""
    things = sorted(set().union(*pairs))[:_MOST] if pairs else []
    if len(things) < 3:
        return []
    if all(frozenset(pair) in pairs for pair in itertools.combinations(things, 2)):
        return [tuple(things)]
    return [three for three in itertools.combinations(things, 3)
            if all(frozenset(pair) in pairs for pair in itertools.combinations(three, 2))]  # fmt: skip


def positive_semidefinite(
    things: Sequence[str], pairs: Mapping[frozenset[str], Claim], prints: PrintedNumbers
) -> Check:
    """Check whether a matrix inside the prints can be one of products of vectors of length one."""
    middle, half = np.eye(len(things)), np.zeros((len(things), len(things)))
    claims = []
    for i, j in itertools.combinations(range(len(things)), 2):
        claim = pairs[frozenset((things[i], things[j]))]
        scale, room = (100.0 if claim.unit == "percent" else 1.0), allowed_interval(claim)
        middle[i, j] = middle[j, i] = (room.low + room.high) / 2 / scale
        half[i, j] = half[j, i] = (room.high - room.low) / 2 / scale
        claims.append(claim)
    values, vectors = np.linalg.eigh(middle)
    v = vectors[:, 0]
    # vᵀRv is largest where every entry moves by its half unit in the direction of vᵢvⱼ.
    most = float(v @ middle @ v + np.abs(v) @ half @ np.abs(v))
    lookup = prints.near(None)
    lookup.read |= dict.fromkeys(claim.id for claim in claims)
    first = claims[0]
    told = (
        f"{describe(first.term)}: {first.printed} and {len(claims) - 1} others of {len(things)} "
        "things"
    )
    told += f"; the smallest eigenvalue is {values[0]:.3g}"
    outcome: tuple[CheckVerdict, Severity] = ("consistent", "none")
    if most < -_SLACK:
        outcome, told = (
            ("inconsistent", "substantive"),
            f"{told}, below 0 whatever the decimals: they cannot all be",
        )
    return check_of(first, lookup, point(float(values[0])), outcome, told, "positive_semidefinite")
