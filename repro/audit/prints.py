"""The printed numbers as a lookup for the algebra: what papers themselves say a cell's value is.

A value is taken from the print nearest to the claim under check: its own table or section, its
paper, the other papers. Prints equally near are intersected; when they exclude each other their
hull is used, so that one disagreement (reported where it stands, by the check `same_value`) does
not raise a dozen alarms.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from repro.audit.check import allowed_interval, as_rounded, gap_between
from repro.audit.units import in_one_unit
from repro.claims.algebra.interval import Category, Interval, Levels, Value
from repro.claims.claim import Claim
from repro.claims.selector import Scalar, normal_selector
from repro.claims.term import SPREADS, Term
from repro.geometry.undefined import Undefined

Items = frozenset[tuple[str, Scalar]]
_COMPUTED = ("formula", "rank_bound", "theory_bound")
_NAMED = ("model", "condition", "companion", "concept")
"""Selector keys whose levels speak for themselves."""
_CENTRES = ("mean", "median")
_SUMMARIES = (*_CENTRES, "sd", "q25", "q75", "min", "max", "span", "iqr", "sum", "pooled", *SPREADS)
_BOUNDS = ("below", "above", "at_most", "at_least")


class PrintedNumbers:
    """All claims, indexed; `near` gives the lookup of one claim."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.claims = claims = in_one_unit(claims)
        self.by_key: dict[str, list[Claim]] = defaultdict(list)
        self._levels: dict[tuple[str, str, Items, str], dict[Scalar, None]] = defaultdict(dict)
        self.listed: list[Claim] = []
        self.counted: dict[tuple[str, str, Items], list[Claim]] = defaultdict(list)
        self._totals: dict[str, int] = {}
        self._replicated: dict[str, set[str]] = defaultdict(set)
        self._selected: set[tuple[str, str]] = set()
        self._at_place: dict[tuple[str, str, str, frozenset[str], str], dict[Scalar, None]] = (
            defaultdict(dict)
        )
        for claim in claims:
            self._add(claim)

    def _add(self, claim: Claim) -> None:
        """Enter one claim by its term, its totals, its levels and its place."""
        term = claim.term
        self.by_key[term.key].append(claim)
        # A computed value stands for the cell's own: both may be asked for.
        if term.statistic in _COMPUTED:
            self.by_key[Term(quantity=term.quantity, selector=term.selector).key].append(claim)
        if claim.total is not None and term.statistic in ("single", "percentage"):
            self._totals[f"{claim.source} {term.quantity}"] = claim.total
            self._totals.setdefault(term.quantity, claim.total)
        if term.statistic == "levels":
            self.listed.append(claim)
        if term.statistic == "count" and term.over and term.of is None:
            self.counted[_counted(term, term.over)].append(claim)
        if term.statistic == "percentage" and term.of is not None and term.of.of is None:
            term = term.of
        if term.of is None and term.statistic not in ("levels", "count"):
            selector = normal_selector(term.selector)
            if term.statistic in _CENTRES and term.over:
                self._replicated[term.quantity].add(term.over)
            for axis, level in selector.items():
                rest = frozenset((key, value) for key, value in selector.items() if key != axis)
                self._levels[term.quantity, _shape(term), rest, axis][level] = None
                self._selected.add((term.quantity, axis))
                if term.statistic in ("single", *_CENTRES):
                    others = frozenset(key for key, _ in rest)
                    self._at_place[
                        claim.source, printed_place(claim.locator), term.quantity, others, axis
                    ][level] = None

    def near(self, home: Claim | None, rounded: bool = False, whole: bool = False) -> "Near":
        """Return a claim's lookup; `rounded`: not from counts; `whole`: bare numbers as rounded."""
        return Near(self, home, rounded, whole)

    def replicates(self, quantity: str) -> list[str]:
        """Return the axes of repeats: seeds, and axes of means that no cell of it selects."""
        return sorted(
            axis
            for axis in self._replicated[quantity]
            if axis == "seed" or (quantity, axis) not in self._selected
        )

    def printed_beside(self, claim: Claim, term: Term, axis: str) -> tuple[Scalar, ...]:
        """Return an axis's levels that the claim's own table or section prints for such cells."""
        others = frozenset(key for key in normal_selector(term.selector) if key != axis)
        return tuple(
            self._at_place.get(
                (claim.source, printed_place(claim.locator), term.quantity, others, axis), ()
            )
        )

    def seen(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """Return the levels along an axis of the printed cells that otherwise match the term."""
        rest = frozenset(
            (key, value) for key, value in normal_selector(term.selector).items() if key != axis
        )
        found = list(self._levels.get((term.quantity, _shape(term), rest, axis), ()))
        numeric = [level for level in found if isinstance(level, (int, float))]
        return tuple(sorted(numeric)) if len(numeric) == len(found) else tuple(found)

    def expected(self, term: Term, axis: str) -> tuple[Scalar, ...] | None:
        """Return the levels a paper lists for this model and condition ("seeds 42, 0, 1")."""
        for claim in self.listed:
            if (
                claim.term.over == axis
                and isinstance(claim.value, tuple)
                and claim.term.quantity == term.quantity
            ):
                mine, other = normal_selector(claim.term.selector), term.selector
                if mine and all(other.get(key) == value for key, value in mine.items()):
                    return claim.value
        return None

    def number_of(self, term: Term, axis: str = "seed") -> int | None:
        """Return how many seeds a paper says are behind a term's cell; else levels of an axis."""
        for claim in self.counted.get(_counted(term, axis), ()):
            return int(claim.number)
        return None

    def total(self, source: str, term: Term) -> int | None:
        """Return the denominator of a quantity's counts: in this paper, else in any."""
        return self._totals.get(f"{source} {term.quantity}", self._totals.get(term.quantity))


class Near:
    """A lookup from the point of view of one claim; remembers which claims it read."""

    def __init__(
        self, prints: PrintedNumbers, home: Claim | None, rounded: bool, whole: bool = False
    ) -> None:
        self.prints, self.home, self.rounded, self.whole = prints, home, rounded, whole
        self.read: dict[str, None] = {}

    def base(self, term: Term) -> Value:
        """Return the printed value of this very term.

        A mean stands in for a cell without a seed, and the other way round.
        """
        if term.statistic == "percentage" and not self.rounded and self._exact_count(term):
            return Undefined("follows from its count")
        for candidate in (term, *_stand_ins(term, self.prints.replicates(term.quantity))):
            found = [
                claim
                for claim in self.prints.by_key.get(candidate.key, ())
                if claim is not self.home
            ]
            if found:
                return self._value(self._nearest(found))
        return Undefined(f"not printed: {describe(term)}")

    def _exact_count(self, term: Term) -> bool:
        """Tell whether the count behind a percentage is printed, which says more."""
        inner = term.of or Term(quantity=term.quantity, selector=term.selector)
        return any(claim.is_number for claim in self.prints.by_key.get(inner.key, ()))

    def levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """Return the levels that the paper lists, else those that it prints.

        None at all when fewer seeds are printed than the paper says there are. A summary's levels
        are also those that its table prints for other rows, or prints as empty: what is computed
        from part of them says nothing against it.
        """
        listed = self.prints.expected(term, axis)
        if listed is not None:
            return listed
        shapes = [
            term,
            *(() if axis == "seed" else _stand_ins(term, self.prints.replicates(term.quantity))),
        ]
        seen = dict.fromkeys(level for shape in shapes for level in self.prints.seen(shape, axis))
        number = self.prints.number_of(term, axis)
        if number is not None and len(seen) < number:
            return ()
        if seen and self.home is not None and _summarises(self.home.term, axis):
            gaps = [level for gap, level in self.home.unprinted if gap == axis]
            beside = (
                self.prints.printed_beside(self.home, term, axis)
                if axis not in ("seed", "step")
                else ()
            )
            seen |= dict.fromkeys([*gaps, *beside])
        return tuple(seen)

    def total(self, term: Term) -> int | None:
        """Return the denominator printed with this very count, else with its quantity's counts.

        A count of what meets a condition (`count_where`) has its own or none.
        """
        own = [
            claim.total for claim in self.prints.by_key.get(term.key, ()) if claim.total is not None
        ]
        if own or term.statistic == "count_where":
            return own[0] if own else None
        return self.prints.total(self.home.source if self.home else "", term)

    def _nearest(self, claims: list[Claim]) -> list[Claim]:
        """Return the prints nearest to the claim under check: its place, its paper, any paper."""

        def distance(claim: Claim) -> int:
            if self.home is None or claim.source != self.home.source:
                return 2
            return 0 if printed_place(claim.locator) == printed_place(self.home.locator) else 1

        own = [
            claim for claim in claims if self.home is not None and claim.source == self.home.source
        ]
        sharp = [claim for claim in own or claims if claim.qualifier not in ("about", "nearly")]
        # "about 0.95" never stands for what is printed to its decimals elsewhere
        claims = sharp or claims
        least = min(map(distance, claims))
        return [claim for claim in claims if distance(claim) == least]

    def _value(self, claims: list[Claim]) -> Value:
        """Return what these prints allow together, and remember that they were read."""
        for claim in claims:
            self.read[claim.id] = None
        first = claims[0]
        if isinstance(first.value, tuple):
            return Levels(first.value)
        if isinstance(first.value, str):
            return Category(first.value)
        closed = [claim for claim in claims if claim.is_number and claim.qualifier not in _BOUNDS]
        if not closed:
            return Undefined(f"printed only as a bound: {first.printed}")
        return together(
            [as_rounded(claim) if self.whole else allowed_interval(claim) for claim in closed]
        )


def together(intervals: Iterable[Interval]) -> Interval:
    """Return what all prints allow; their hull when nothing satisfies all."""
    known = list(intervals)
    low, high = max(i.low for i in known), min(i.high for i in known)
    if any(gap_between(a, b) for a in known for b in known):
        return Interval(min(i.low for i in known), max(i.high for i in known))
    return Interval(min(low, high), max(low, high))


def printed_place(locator: str) -> str:
    """Return the place of a locator: a table and its caption are one."""
    return locator.removesuffix(" caption")


def _counted(term: Term, axis: str) -> tuple[str, str, Items]:
    """Return what a number of levels belongs to: model and condition for seeds, else the cell."""
    if axis == "seed":
        keys = ("model", "condition", "intervention")
        return (
            axis,
            "",
            frozenset((key, term.selector[key]) for key in keys if key in term.selector),
        )
    return (
        axis,
        term.quantity,
        frozenset(
            (key, value) for key, value in term.selector.items() if key not in (axis, "step")
        ),
    )


def _shape(term: Term) -> str:
    """Return what a term takes of its cells: statistic, axis and levels."""
    return f"{term.statistic} {term.over or ''} {','.join(map(str, term.among))}"


def _stand_ins(term: Term, replicates: Sequence[str] = ("seed",)) -> list[Term]:
    """Return the terms that may stand in for a term that is not printed.

    For a mean over seeds, a cell printed without a seed; for that cell, the mean; at step 0, any
    seed's.
    """
    if term.of is not None:
        return []
    plain = Term(quantity=term.quantity, selector=term.selector)
    if term.statistic in _CENTRES and term.over in replicates:
        return [plain]
    if term.statistic != "single":
        return []
    unseeded = {key: value for key, value in term.selector.items() if key != "seed"}
    centres = [
        Term(quantity=term.quantity, selector=unseeded, statistic=statistic, over=axis)
        for statistic in _CENTRES
        for axis in dict.fromkeys(["seed", *replicates])
    ]
    if "seed" not in term.selector:
        return centres
    return (
        [Term(quantity=term.quantity, selector=unseeded), *centres]
        if term.selector.get("step") == 0
        else []
    )


def over_seeds(term: Term) -> Term:
    """Read each cell that names no seed as a mean over seeds, unless the term runs over seeds."""
    if term.over == "seed":
        return term
    if term.of is None and term.against is None:
        if term.statistic == "single" and "seed" not in term.selector and "model" in term.selector:
            return Term(
                statistic="mean", over="seed", quantity=term.quantity, selector=term.selector
            )
        return term
    changes = {
        name: over_seeds(inner)
        for name in ("of", "against")
        if (inner := getattr(term, name)) is not None
    }
    return term.model_copy(update=changes)


def _summarises(term: Term, axis: str) -> bool:
    """Tell whether a term holds a summary along an axis whose levels it does not name."""
    return any(
        part.over == axis and part.statistic in _SUMMARIES and not part.among
        for part in term.walk()
    )


def describe(term: Term) -> str:
    """Say a term in words: "mean over seed of entanglement_intensity (qwen2.5-coder-7b, B3)"."""
    order = sorted(
        term.selector, key=lambda key: _NAMED.index(key) if key in _NAMED else len(_NAMED)
    )
    cell = ", ".join(
        str(term.selector[key]) if key in _NAMED else f"{key} {term.selector[key]}" for key in order
    )
    name = term.quantity + (f" ({cell})" if cell else "")
    if term.statistic == "single":
        return name
    inner = describe(term.of) if term.of else name
    axis = f" over {term.over}" if term.over else ""
    against = f" against {describe(term.against)}" if term.against else ""
    return f"{term.statistic}{axis} of {inner}{against}"
