"""The printed numbers as a lookup for the algebra: what the papers themselves say a cell's value is.

A value is taken from the print nearest to the claim under check: its own table or section, its paper, the other papers.
Prints equally near are intersected; when they exclude each other their hull is used, so that one disagreement (reported
where it stands, by the check `same_value`) does not raise a dozen alarms.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from repro.manifest.claim import Claim
from repro.manifest.claim_term import Scalar, Term, normal_selector
from repro.verify.algebra_interval import Category, Interval, Levels, Missing, Value
from repro.verify.audit.check import allowed, apart

Items = frozenset[tuple[str, Scalar]]
_COMPUTED = ("formula", "rank_bound", "theory_bound")
_NAMED = ("model", "condition", "companion", "concept")
"""Selector keys whose levels speak for themselves."""
_BOUNDS = ("below", "above", "at_most", "at_least")


class Prints:
    """All claims, indexed; `near` gives the lookup of one claim."""

    def __init__(self, claims: Sequence[Claim]) -> None:
        self.claims = claims
        self.by_key: dict[str, list[Claim]] = defaultdict(list)
        self._levels: dict[tuple[str, str, Items, str], dict[Scalar, None]] = defaultdict(dict)
        self.listed: list[Claim] = []
        self.counted: dict[tuple[str, str, Items], list[Claim]] = defaultdict(list)
        self._totals: dict[str, int] = {}
        for claim in claims:
            self._add(claim)

    def _add(self, claim: Claim) -> None:
        term = claim.term
        self.by_key[term.key].append(claim)
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
            for axis, level in selector.items():
                rest = frozenset((key, value) for key, value in selector.items() if key != axis)
                self._levels[term.quantity, _shape(term), rest, axis][level] = None

    def near(self, home: Claim | None, rounded: bool = False) -> "Near":
        return Near(self, home, rounded)

    def seen(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """Levels along an axis of the printed cells that otherwise match the term."""
        rest = frozenset((key, value) for key, value in normal_selector(term.selector).items() if key != axis)
        found = list(self._levels.get((term.quantity, _shape(term), rest, axis), ()))
        numeric = [level for level in found if isinstance(level, (int, float))]
        return tuple(sorted(numeric)) if len(numeric) == len(found) else tuple(found)

    def expected(self, term: Term, axis: str) -> tuple[Scalar, ...] | None:
        """The levels a paper lists for this model and condition ("seeds 42, 0, 1")."""
        for claim in self.listed:
            if claim.term.over == axis and isinstance(claim.value, tuple) and claim.term.quantity == term.quantity:
                mine, other = normal_selector(claim.term.selector), term.selector
                if mine and all(other.get(key) == value for key, value in mine.items()):
                    return claim.value
        return None

    def number_of(self, term: Term, axis: str = "seed") -> int | None:
        """How many seeds a paper says are behind the term's model and condition; along other axes, of this quantity."""
        for claim in self.counted.get(_counted(term, axis), ()):
            return int(claim.number)
        return None

    def total(self, source: str, term: Term) -> int | None:
        return self._totals.get(f"{source} {term.quantity}", self._totals.get(term.quantity))


class Near:
    """A lookup from the point of view of one claim; remembers which claims it read."""

    def __init__(self, prints: Prints, home: Claim | None, rounded: bool) -> None:
        self.prints, self.home, self.rounded = prints, home, rounded
        self.read: dict[str, None] = {}

    def base(self, term: Term) -> Value:
        """The printed value of this very term; a mean stands in for a cell without a seed, and the other way round."""
        if term.statistic == "percentage" and not self.rounded and self._exact_count(term):
            return Missing("follows from its count")
        for candidate in (term, *_stand_ins(term)):
            found = [claim for claim in self.prints.by_key.get(candidate.key, ()) if claim is not self.home]
            if found:
                return self._value(self._nearest(found))
        return Missing(f"not printed: {describe(term)}")

    def _exact_count(self, term: Term) -> bool:
        inner = term.of or Term(quantity=term.quantity, selector=term.selector)
        return any(claim.is_number for claim in self.prints.by_key.get(inner.key, ()))

    def levels(self, term: Term, axis: str) -> tuple[Scalar, ...]:
        """What the paper lists, else what it prints; nothing when fewer seeds are printed than the paper says there are."""
        listed = self.prints.expected(term, axis)
        if listed is not None:
            return listed
        seen = self.prints.seen(term, axis)
        number = self.prints.number_of(term, axis)
        return () if number is not None and len(seen) < number else seen

    def total(self, term: Term) -> int | None:
        """The denominator this very count is printed with; else the one its quantity has in the paper, in any paper."""
        own = [claim.total for claim in self.prints.by_key.get(term.key, ()) if claim.total is not None]
        if own or term.statistic == "count_where":
            return own[0] if own else None
        return self.prints.total(self.home.source if self.home else "", term)

    def _nearest(self, claims: list[Claim]) -> list[Claim]:
        def distance(claim: Claim) -> int:
            if self.home is None or claim.source != self.home.source:
                return 2
            return 0 if place(claim.locator) == place(self.home.locator) else 1

        least = min(map(distance, claims))
        return [claim for claim in claims if distance(claim) == least]

    def _value(self, claims: list[Claim]) -> Value:
        for claim in claims:
            self.read[claim.id] = None
        first = claims[0]
        if isinstance(first.value, tuple):
            return Levels(first.value)
        if isinstance(first.value, str):
            return Category(first.value)
        closed = [claim for claim in claims if claim.is_number and claim.qualifier not in _BOUNDS]
        if not closed:
            return Missing(f"printed only as a bound: {first.printed}")
        return together([allowed(claim) for claim in closed])


def together(intervals: Iterable[Interval]) -> Interval:
    """What all prints allow; their hull when nothing satisfies all."""
    known = list(intervals)
    low, high = max(i.low for i in known), min(i.high for i in known)
    if any(apart(a, b) for a in known for b in known):
        return Interval(min(i.low for i in known), max(i.high for i in known))
    return Interval(min(low, high), max(low, high))


def place(locator: str) -> str:
    """A table and its caption are one place."""
    return locator.removesuffix(" caption")


def _counted(term: Term, axis: str) -> tuple[str, str, Items]:
    """What a number of levels belongs to: of seeds, the model and condition; else the quantity and its cell."""
    if axis == "seed":
        keys = ("model", "condition", "intervention")
        return axis, "", frozenset((key, term.selector[key]) for key in keys if key in term.selector)
    return (
        axis,
        term.quantity,
        frozenset((key, value) for key, value in term.selector.items() if key not in (axis, "step")),
    )


def _shape(term: Term) -> str:
    return f"{term.statistic} {term.over or ''} {','.join(map(str, term.among))}"


def _stand_ins(term: Term) -> list[Term]:
    """Where a mean over seeds is wanted, a cell printed without a seed; for that cell, the mean; at step 0 any seed's."""
    if term.of is not None:
        return []
    plain = Term(quantity=term.quantity, selector=term.selector)
    if term.statistic == "mean" and term.over == "seed":
        return [plain]
    if term.statistic != "single":
        return []
    unseeded = {key: value for key, value in term.selector.items() if key != "seed"}
    mean = Term(quantity=term.quantity, selector=unseeded, statistic="mean", over="seed")
    if "seed" not in term.selector:
        return [mean]
    return [Term(quantity=term.quantity, selector=unseeded), mean] if term.selector.get("step") == 0 else []


def describe(term: Term) -> str:
    """A term in words: "mean over seed of entanglement_intensity (qwen2.5-coder-7b, B3, step 5000)"."""
    order = sorted(term.selector, key=lambda key: _NAMED.index(key) if key in _NAMED else len(_NAMED))
    cell = ", ".join(str(term.selector[key]) if key in _NAMED else f"{key} {term.selector[key]}" for key in order)
    name = term.quantity + (f" ({cell})" if cell else "")
    if term.statistic == "single":
        return name
    inner = describe(term.of) if term.of else name
    axis = f" over {term.over}" if term.over else ""
    against = f" against {describe(term.against)}" if term.against else ""
    return f"{term.statistic}{axis} of {inner}{against}"
