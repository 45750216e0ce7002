"""Where each check's errors are planted: the claims of a random paper that it looks at, and how
they are made wrong.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from calibration.audit.errors import (
    Size,
    Spoil,
    beyond,
    counted,
    distance,
    first,
    moved,
    off_grid,
    outright,
    put,
    says,
)
from calibration.audit.errors import stepped as by_steps
from calibration.audit.joint import ROWS
from calibration.audit.paper import MIDDLE, MODELS, SMALL, WORDS, Fields, RandomPaper

Spoiled = tuple[list[Fields], str]
"""A paper's claims with an error, and the name of the wrong one."""


class Plant(NamedTuple):
    """One kind of check, and the errors that it is there to find."""

    check: str
    parts: tuple[str, ...]
    """Of the paper; the rest is left out, since it has no say."""
    names: str
    """Of the claims, as a pattern."""
    spoil: Spoil | None
    rewrite: Callable[[RandomPaper, Size], Spoiled] | None = None
    """In place of `spoil`, where several claims are wrong together."""
    whole: bool = False
    """Every claim of that name is made wrong, not one."""


def _changed(**changes: object) -> Callable[[Fields, RandomPaper], Fields]:
    return lambda fields, _: {**fields, **changes}


def _fewer(fields: Fields, size: Size, _: RandomPaper) -> Fields:
    """ "Five" where four, three or one would be said: of more than are printed nobody can tell."""
    number = WORDS.index(fields["printed"])
    return says(fields, WORDS[max(number - {"small": 1, "middle": 2, "large": number}[size], 1)])


def _of_more(fields: Fields, size: Size, _: RandomPaper) -> Fields:
    """ "Two of three" of what are five."""
    count, _, total = fields["printed"].partition(" of ")
    more = WORDS.index(total) + {"small": 1, "middle": 2, "large": 4}[size]
    return says(fields, f"{count} of {WORDS[min(more, 8)]}")


def _orders(fields: Fields, size: Size, _: RandomPaper) -> Fields:
    return put(fields, first(fields)[0] + {"small": 1, "middle": 2, "large": 3}[size])


def _swapped(fields: Fields, _: RandomPaper) -> Fields:
    of, against = fields["of"], fields["against"]
    return {**fields, "of": {**of, **against}, "against": {key: of[key] for key in against}}


def _lower_end(fields: Fields, size: Size, _: RandomPaper) -> Fields:
    """The lower end of an interval, by a share of its width."""
    (low, unit), high = first(fields), float(fields["printed"].rstrip("]").split(",")[1])
    by = distance(high - low, unit, size)
    return put(fields, low - by)


def _other_denominator(fields: Fields, paper: RandomPaper) -> Fields:
    n = paper.seeds[fields["model"]]
    factor = ((n - 1) / n) ** (0.5 if paper.ddof else -0.5)
    return put(fields, factor * paper.spread(paper.purity[fields["model"]]))


def _other_order(fields: Fields, _: RandomPaper) -> Fields:
    return {**fields, "order": "increasing"}


def _another(fields: Fields, paper: RandomPaper) -> Fields:
    return {
        **fields,
        "which": paper.random.choice([model for model in MODELS if model != fields["which"]]),
    }


def _first_seeds(fields: Fields, _: RandomPaper) -> Fields:
    return {**fields, "value": fields["value"][:2]}


def _opposite(fields: Fields, _: RandomPaper) -> Fields:
    return {**fields, "value": not fields.get("value", True)}


def _copied(paper: RandomPaper, _: Size) -> Spoiled:
    """One run's row printed for another run too."""
    one, other = paper.random.sample(range(ROWS), 2)
    printed = {each["note"]: each["printed"] for each in paper.fields}
    start = f"row {other} "
    return [
        says(each, printed[each["note"].replace(start, f"row {one} ")])
        if each["note"].startswith(start)
        else each
        for each in paper.fields
    ], f"{start}loss"


def _habit(paper: RandomPaper, size: Size) -> Spoiled:
    """A quarter, half or all of the numbers rounded to 0 or 5 in their last digit."""
    share, found = {"small": 0.25, "middle": 0.5, "large": 1.0}[size], []
    for each in paper.fields:
        value, unit = first(each)
        found.append(
            put(each, 5 * unit * round(value / unit / 5)) if paper.random.random() < share else each
        )
    return found, found[0]["note"]


BASIS = ("runs", "means")
PLANTS: tuple[Plant, ...] = (
    Plant("mean", BASIS, f"mean after ({SMALL}|{MIDDLE})|purity mean .*", moved()),
    Plant("median", BASIS, "purity median .*", moved()),
    Plant("quartile", BASIS, "purity q.*", moved()),
    Plant("extreme", BASIS, f"range ({SMALL}|{MIDDLE})", moved(down=True)),
    Plant("count", BASIS, "count .*", _fewer),
    Plant("percentage", ("problems",), "percent .*", moved()),
    Plant("difference", ("problems",), "points .*", moved()),
    Plant("relative_change", BASIS, f"change ({SMALL}|{MIDDLE})", moved()),
    Plant("ratio", ("problems",), "ratio .*", moved()),
    Plant("orders_of_magnitude", ("problems",), "orders .*", _orders),
    Plant("formula", ("design",), "probes", moved()),
    Plant("rank", ("design",), "nominal rank", counted()),
    Plant("theory_bound", ("design",), "theory bound", moved()),
    Plant("correlation", ("problems",), "rho", moved(1.0)),
    Plant("collapse_step", ("trajectories",), "collapse of path .*", by_steps),
    Plant("collapse_trajectory", ("trajectories",), "collapse [01]", by_steps),
    Plant("recovery", ("trajectories",), "recovery .*", outright(_opposite)),
    Plant("sd_possible", (*BASIS, "trajectories"), "path sd .*", beyond()),
    Plant("quantifier", (*BASIS, "statements"), "only", outright(_another)),
    Plant("superlative", (*BASIS, "statements"), "lowest|highest|second", outright(_another)),
    Plant("ordering", (*BASIS, "statements"), "above .*", outright(_swapped)),
    Plant("monotone", (*BASIS, "statements"), "monotone .*", outright(_other_order)),
    Plant("total", (*BASIS, "statements"), "some", _of_more),
    Plant(
        "significance", ("problems",), "no effect .*", outright(_changed(statistic="significant"))
    ),
    Plant(
        "no_effect",
        (*BASIS, "statements"),
        "significant .*",
        outright(_changed(statistic="no_effect")),
    ),
    Plant("identical", ("sweep",), "sweep 0.4 .*", moved()),
    Plant("proportional", ("sweep",), "loss .*", moved()),
    Plant("sd", BASIS, f"sd after ({SMALL}|{MIDDLE})|purity sd .*", moved()),
    Plant("sd_denominator", BASIS, f"purity sd {SMALL}", outright(_other_denominator)),
    Plant("range", BASIS, f"sd after ({SMALL}|{MIDDLE})", beyond()),
    Plant("spread", ("spreads",), "(se|ci_half_width|half_range) .*", moved()),
    Plant("mean_interval", ("spreads",), "ends .*", _lower_end),
    Plant("same_value", BASIS, f"twice after ({SMALL}|{MIDDLE})", moved()),
    Plant("unnamed_seed", BASIS, f"unnamed after ({SMALL}|{MIDDLE})", moved()),
    Plant("base_without_seed", BASIS, "before .* 1", moved()),
    Plant("z", ("problems",), "z .*", moved()),
    Plant("p", ("problems",), "p (one|two) .*", moved(1.0)),
    Plant("confidence_interval", ("problems",), "interval .*", _lower_end),
    Plant("grid", ("problems",), "easy .*", off_grid),
    Plant("probe_grid", ("design",), "accuracy .*", off_grid),
    Plant("whole_mean", ("ratings",), "rating (clarity|tone|depth)", off_grid),
    Plant("whole_sd", ("ratings",), "rating sd .*", off_grid),
    Plant("binary_sd", ("ratings",), "right sd .*", moved()),
    Plant("sd_bound", ("ratings",), "binary sd .*", beyond()),
    Plant(
        "bounds",
        ("ratings",),
        "binary (first|second|third)",
        outright(lambda f, _: put(f, -first(f)[0])),
    ),
    Plant("crosstalk_identity", ("pairs",), "(ratio of|asymmetry) .*", beyond()),
    Plant("listed", BASIS, "listed .*", outright(_first_seeds)),
    Plant("rank_limit", ("design",), "rank", beyond()),
    Plant("mean", ("parts",), "fold mean", moved(1.0)),
    Plant("sum", ("parts",), "share .*", moved(100.0)),
    Plant("sum", ("parts",), "whole tally", moved()),
    Plant("pooled", ("parts",), "whole rate", beyond()),
    Plant(
        "confusion", ("scores",), "(accuracy|precision|recall|f1|mcc) (screen|probe)", moved(1.0)
    ),
    Plant("pass_at_k", ("scores",), "pass (5|10)", beyond(-1)),
    Plant("positive_semidefinite", ("pairs_of_one_set",), "r .*", beyond(-1)),
    Plant("mean_cosine", ("pairs_of_one_set",), "mean cosine", beyond(-1)),
    Plant("one_run", ("pairs_of_one_set",), "its spread", moved()),
    Plant("directions", ("pairs_of_one_set",), "first to second", beyond()),
    Plant("bounds", ("pairs_of_one_set",), "change before", moved()),
    Plant("duplicated_rows", ("rows",), "large", None, _copied),
    Plant("last_digits", ("rows",), "", None, _habit),
    Plant("class_counts", ("design",), "cardinalities", outright(_changed(value=[2, 2, 2, 2]))),
)


def spoiled(plant: Plant, paper: RandomPaper, size: Size) -> Spoiled | None:
    """Return the paper's claims with one wrong, and its name; None where it says nothing that could
    be so wrong.
    """
    if plant.rewrite is not None or plant.spoil is None:
        return (
            plant.rewrite(paper, size)
            if plant.rewrite and (size == "large" or not plant.names)
            else None
        )
    names = [each["note"] for each in paper.fields if re.fullmatch(plant.names, each["note"])]
    if not names:
        return None
    name = paper.random.choice(names)
    changed = next(plant.spoil(each, size, paper) for each in paper.fields if each["note"] == name)
    if changed is None:
        return None
    return [changed if each["note"] == name else each for each in paper.fields], name
