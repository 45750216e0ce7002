"""Alarms on papers that agree with themselves, and errors found, by check and size."""

from collections import Counter
from collections.abc import Iterable, Sequence

from calibration.audit.errors import SIZES, Size
from calibration.audit.further import random_paper
from calibration.audit.load import load
from calibration.audit.plants import PLANTS, Plant, spoiled
from repro.audit import Check, audit
from repro.audit.accuracy import Accuracy


def clean(seeds: Iterable[int]) -> tuple[Counter[str], Counter[str], list[Check]]:
    """Return (checks made by kind, papers with an alarm by kind, every alarm) of papers that agree
    with themselves.
    """
    made, papers, alarms = Counter[str](), Counter[str](), list[Check]()
    for seed in seeds:
        checks = audit(load(random_paper(seed).fields))
        false = [check for check in checks if check.verdict == "inconsistent"]
        made.update(check.check for check in checks if check.verdict == "consistent")
        papers.update({check.check for check in false})
        alarms += false
    return made, papers, alarms


def found(plant: Plant, size: Size, seeds: Sequence[int]) -> tuple[int, int]:
    """Return (errors found by the check they belong to, errors planted), one a paper at most."""
    hits = planted = 0
    for seed in seeds:
        wrong = spoiled(plant, random_paper(seed, plant.parts), size)
        if wrong is None:
            continue
        fields, name = wrong
        claims = load(fields)
        subjects = {claim.id for claim in claims if claim.note == name}
        hits += any(
            check.check == plant.check
            and check.verdict == "inconsistent"
            and subjects & set(check.inputs)
            for check in audit(claims)
        )
        planted += 1
    return hits, planted


def accuracies(papers: int, errors: int) -> dict[str, Accuracy]:
    """Return the accuracy of every check: so many clean papers, and so many papers for each size of
    error.
    """
    made, alarmed, _ = clean(range(papers))
    tallies: dict[str, Counter[tuple[Size, bool]]] = {}
    for plant in PLANTS:
        tally = tallies.setdefault(plant.check, Counter())
        for size in SIZES:
            hits, planted = found(plant, size, range(1000, 1000 + errors))
            tally.update({(size, True): hits, (size, False): planted - hits})
    return {
        check: Accuracy(
            clean_papers=papers,
            alarmed_papers=alarmed[check],
            clean_checks=made[check],
            found={size: (tally[size, True], tally[size, True] + tally[size, False])
                   for size in SIZES if tally[size, True] + tally[size, False]},
        )
        for check, tally in tallies.items()
    }  # fmt: skip
