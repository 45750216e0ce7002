"""Grade evidence: whose models, under whose settings (docs/SCIENCE.md §13).

`own`: the paper's models under every setting it prints. `other_settings`: its models, trained or
measured differently. `twin`: a smaller stand-in. `random`: untrained weights. Only `own`, and an
author's own files (`supplied`), judge a published claim.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from repro.claims.claim import Claim
from repro.manifest.load import load_models
from repro.verify.facts.compare import compare_setting
from repro.verify.facts.settings import Settings, manifest
from repro.verify.verdict import GRADES, Graded

RunKey = Mapping[str, Any]
"""What a run is named by, as far as it describes the run's set-up."""
UNSAID = "the store does not say how these runs were set up; `repro ingest` builds it again"


@dataclass(frozen=True)
class Protocols:
    """The settings that papers print, by the manifest they apply to."""

    bound: Mapping[str, Sequence[Claim]] = field(default_factory=dict)
    """Manifest → settings printed for it."""
    general: Mapping[str, Sequence[Claim]] = field(default_factory=dict)
    """Manifest → settings that the same papers print without naming another cell."""

    @staticmethod
    def of(claims: Iterable[Claim], doubted: Collection[str] = ()) -> "Protocols":
        """Collect printed settings.

        A setting that the paper's own other prints contradict (`doubted`) binds no run.
        """
        bound: dict[str, list[Claim]] = defaultdict(list)
        by_source: dict[str, list[Claim]] = defaultdict(list)
        users: dict[str, dict[str, None]] = defaultdict(dict)
        for claim in claims:
            if claim.measured_by is not None:
                users[claim.measured_by][claim.source] = None
            if claim.basis == "setting" and claim.unverifiable is None and claim.id not in doubted:
                bound[claim.measured_by or ""].append(claim)
                if claim.statistic == "single" and not claim.selector:
                    by_source[claim.source].append(claim)
        general = {
            name: [
                claim
                for source in sources
                for claim in by_source[source]
                if claim.measured_by != name
            ]
            for name, sources in users.items()
        }
        return Protocols(dict(bound), general)


def grade_run(
    name: str, model: str, condition: str, key: RunKey | None, printed: Protocols
) -> Graded:
    """Grade the runs of one model under one condition from the key they are named by."""
    if not key or "model" not in key:
        return Graded(grade="other_settings", other=(UNSAID,))
    key = {**key, "model": {"id": model, **key["model"]}}  # a run's own key holds no names
    weights = key["model"].get("weights", {})
    if weights.get("kind") == "random":
        return Graded(grade="random")
    if (found := manifest(name)) is not None and found.twin_of:
        return Graded(grade="twin")
    other = [*_other_model(model, key["model"]), *_other_settings(name, condition, key, printed)]
    return Graded(grade="other_settings", other=tuple(other)) if other else Graded(grade="own")


def weakest(graded: Iterable[Graded]) -> Graded | None:
    """Return the weakest of several grades; None for none."""
    found = list(dict.fromkeys(graded))
    if not found:
        return None
    grade = min((one.grade for one in found), key=GRADES.index)
    alike = [one for one in found if one.grade == grade]
    other = dict.fromkeys(words for one in alike for words in one.other)
    return Graded(grade=grade, other=tuple(other), by=alike[0].by)


def _other_model(model: str, found: Mapping[str, Any]) -> Iterator[str]:
    """Yield how the run's weights differ from those the model's name stands for."""
    if found.get("id") != model:
        yield f"the model {found.get('id')} where {model} is named"
        return
    known = load_models().get(model)
    if known is None:
        return
    ours, theirs = known.weights.model_dump(mode="json"), found.get("weights", {})
    if differing := [
        k for k in ours if k in ("kind", *theirs) and k != "revision" and theirs.get(k) != ours[k]
    ]:
        where = ", ".join(f"{name} {theirs.get(name)}" for name in differing)
        yield f"other weights than those of {model} ({where})"


def _other_settings(name: str, condition: str, key: RunKey, printed: Protocols) -> Iterator[str]:
    """Yield the printed settings that a run differs from, in words."""
    trained = any(phase["steps"] for phase in key.get("condition", {}).get("phases", ()))
    if "training" not in key or "condition" not in key:
        yield UNSAID
        return
    settings = Settings.of_run(name, condition, key)
    bound = [claim for claim in printed.bound.get(name, ()) if _speaks_of(claim, condition, key)]
    for claim in [*bound, *(_general(name, bound, printed) if trained else ())]:
        found = compare_setting(claim, settings)
        if found.outcome == "differs":
            yield f"{claim.quantity} {found.value}, printed {claim.printed}"


def _general(name: str, bound: Sequence[Claim], printed: Protocols) -> Iterator[Claim]:
    """Yield what a paper prints for all its runs, unless it prints something else for these.

    A light adapter of rank 16 is another adapter: the usual α and dropout are not printed for
    it.
    """
    general = printed.general.get(name, ())
    usual = {claim.quantity: claim.value for claim in general}
    own = {claim.quantity for claim in bound}
    # Settings of one family share their first word (lora_rank, lora_alpha): one change
    # affects all.
    changed = {
        claim.quantity.split("_")[0]
        for claim in bound
        if usual.get(claim.quantity, claim.value) != claim.value
    }
    for claim in general:
        if claim.quantity not in own and claim.quantity.split("_")[0] not in changed:
            yield claim


def _speaks_of(claim: Claim, condition: str, key: RunKey) -> bool:
    """Return whether a printed setting applies to a single run under that condition."""
    selector = claim.selector
    model, seed, named = selector.get("model"), selector.get("seed"), selector.get("condition")
    return (
        claim.statistic in ("single", "formula")
        and model in (None, key["model"]["id"])
        and seed in (None, key.get("seed"))
        and (named is None or condition == named or condition.startswith(f"{named}-"))
    )
