"""What it would cost to know more: by manifest, the claims that wait and what its runs take."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from repro.claims.claim import Claim
from repro.cost.hours import total_hours
from repro.manifest.experiment import Experiment
from repro.plan.expand import expand, local_environment
from repro.verify.facts.settings import manifest
from repro.verify.needs import instead, planned_runs
from repro.verify.verdict import Verdict


@dataclass(frozen=True)
class Price:
    """One manifest that claims wait for."""

    manifest: str
    title: str
    claims: int
    """Claims that are not run, and that its runs would measure."""
    to_do: int
    runs: int
    low: float
    high: float
    """GPU-hours of the runs to do."""
    small: bool
    """Whether only this project's own statements about small models wait for it."""


def prices(
    claims: Iterable[Claim],
    verdicts: Iterable[Verdict],
    finished: Collection[str],
    given: Mapping[str, Experiment],
) -> list[Price]:
    """Return the manifests that claims wait for, the cheapest first.

    `finished` holds the names of runs that are done.
    """
    waiting = {verdict.id for verdict in verdicts if verdict.outcome == "not_run"}
    claims = [claim for claim in claims if claim.id in waiting and not instead(claim)]
    published = {claim.measured_by for claim in claims if claim.evidence == "own"}
    counted = Counter(claim.measured_by for claim in claims)
    found = []
    for name, number in counted.items():
        experiment = given.get(name or "") or (manifest(name) if name else None)
        if name is None or experiment is None:
            continue
        runs = expand(experiment, local_environment()) if name in given else planned_runs(name)
        left = [run for run in runs if run.id not in finished]
        if left:
            took = total_hours(left)
            found.append(
                Price(
                    name,
                    experiment.title,
                    number,
                    len(left),
                    len(runs),
                    took.low,
                    took.high,
                    name not in published,
                )
            )
    return sorted(found, key=lambda price: price.high)
