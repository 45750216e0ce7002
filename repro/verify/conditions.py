"""What a manifest's conditions say of themselves, as values of the claims' algebra: steps, shares of data, what differs."""

from collections.abc import Mapping, Sequence

from repro.manifest.claim import Scalar
from repro.manifest.training import Condition
from repro.verify.algebra_interval import Category, Missing, Value, point


def steps(conditions: Sequence[Condition], dataset: Scalar | None) -> Value:
    """Optimizer steps of a condition, or of its phases on one domain; of all trained conditions if they agree."""
    if dataset is not None:
        phases = [phase for condition in conditions for phase in condition.phases if _named(phase.mixture, dataset)]
        return point(sum(phase.steps for phase in phases)) if phases else Missing(f"no phase trains on {dataset}")
    found = {condition.steps for condition in conditions if condition.steps}
    return point(found.pop()) if len(found) == 1 else Missing("the conditions differ in their steps; name one")


def share(condition: Condition | None, dataset: Scalar | None) -> Value:
    """The share of a condition's data that comes from a domain."""
    if condition is None or dataset is None or not condition.phases:
        return Missing("a share of data needs a trained condition and a domain")
    shares = {_named(phase.mixture, dataset) or 0.0 for phase in condition.phases}
    return point(shares.pop()) if len(shares) == 1 else Missing("the phases differ in their shares")


def data_of(conditions: Mapping[str, Condition], name: Scalar | None) -> Value:
    """The other condition that trains on the same data for the same steps."""
    own = conditions.get(str(name))
    same = [other for other in conditions if own and other != name and conditions[other].phases == own.phases]
    return Category(same[0]) if same else Missing(f"no other condition trains on the data of {name}")


def differing(conditions: Sequence[Condition]) -> Value:
    """Names of everything in which the conditions of a manifest differ; its protocol they share."""
    if len(conditions) < 2:
        return Missing("a difference needs two conditions")
    told = [_told(condition) for condition in conditions]
    return Category(", ".join(name for name, first in told[0].items() if any(one[name] != first for one in told)))


def _told(condition: Condition) -> dict[str, object]:
    own: dict[str, object] = condition.model_dump(exclude={"title", "phases"})
    return {
        "mixture": [phase.mixture for phase in condition.phases],
        "steps": [phase.steps for phase in condition.phases],
        **own,
    }


def _named(mixture: Mapping[str, float], dataset: Scalar) -> float | None:
    """The share of a domain, whose name the paper may shorten ("creative")."""
    return next((value for domain, value in mixture.items() if domain.startswith(str(dataset))), None)
