"""The grade of evidence: whose models, under whose settings (docs/SCIENCE.md §13).

`own`: the paper's models under every setting it prints. `other_settings`: its models, otherwise
trained or measured. `twin`: a smaller stand-in. `random`: weights that nobody trained. Only `own`,
and later an author's own files (`supplied`), judge a published claim.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from repro.manifest.claim import Claim
from repro.manifest.load import load_models
from repro.verify.setting import compare_setting
from repro.verify.settings import Settings, manifest
from repro.verify.verdict import GRADES, Graded

Key = Mapping[str, Any]
"""What a run is named by, as far as it says how the run was set up."""
UNSAID = "the store does not say how these runs were set up; `repro ingest` builds it again"


@dataclass(frozen=True)
class Protocols:
    """The settings that papers print, by the manifest they hold for."""

    bound: Mapping[str, Sequence[Claim]] = field(default_factory=dict)
    """Manifest → settings printed for it."""
    general: Mapping[str, Sequence[Claim]] = field(default_factory=dict)
    """Manifest → settings that the same papers print without naming another cell."""

    @staticmethod
    def of(claims: Iterable[Claim], doubted: Collection[str] = ()) -> "Protocols":
        """Collect printed settings. One that the paper's own other prints contradict (`doubted`) binds nobody."""
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
            name: [claim for source in sources for claim in by_source[source] if claim.measured_by != name]
            for name, sources in users.items()
        }
        return Protocols(dict(bound), general)


def grade_run(name: str, model: str, condition: str, key: Key | None, printed: Protocols) -> Graded:
    """Grade the runs of one model under one condition from the key that they were named by."""
    if not key or "model" not in key:
        return Graded(grade="other_settings", other=(UNSAID,))
    weights = key["model"].get("weights", {})
    if weights.get("kind") == "random":
        return Graded(grade="random")
    if (found := manifest(name)) is not None and found.twin_of:
        return Graded(grade="twin")
    other = [*_other_model(model, key["model"]), *_other_settings(name, condition, key, printed)]
    return Graded(grade="other_settings", other=tuple(other)) if other else Graded(grade="own")


def weakest(graded: Iterable[Graded]) -> Graded | None:
    """The grade of a value that rests on several: the weakest; None of none."""
    found = list(dict.fromkeys(graded))
    if not found:
        return None
    grade = min((one.grade for one in found), key=GRADES.index)
    other = dict.fromkeys(words for one in found if one.grade == grade for words in one.other)
    return Graded(grade=grade, other=tuple(other))


def _other_model(model: str, found: Mapping[str, Any]) -> Iterator[str]:
    """What says that the weights are not those that the model's name stands for."""
    if found.get("id") != model:
        yield f"the model {found.get('id')} where {model} is named"
        return
    known = load_models().get(model)
    if known is None:
        return
    ours, theirs = known.weights.model_dump(mode="json"), found.get("weights", {})
    if differing := [k for k in ours if k not in ("revision", "gated") and theirs.get(k) != ours[k]]:
        where = ", ".join(f"{name} {theirs.get(name)}" for name in differing)
        yield f"other weights than those of {model} ({where})"


def _other_settings(name: str, condition: str, key: Key, printed: Protocols) -> Iterator[str]:
    """The printed settings that a run does not have, in words."""
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
    """What a paper prints for all its runs, where it prints nothing else for these.

    A light adapter of rank 16 is another adapter: the usual α and dropout are not printed for it.
    """
    general = printed.general.get(name, ())
    usual = {claim.quantity: claim.value for claim in general}
    own = {claim.quantity for claim in bound}
    changed = {claim.quantity.split("_")[0] for claim in bound if usual.get(claim.quantity, claim.value) != claim.value}
    for claim in general:
        if claim.quantity not in own and claim.quantity.split("_")[0] not in changed:
            yield claim


def _speaks_of(claim: Claim, condition: str, key: Key) -> bool:
    """Whether a printed setting says something of a single run under that condition."""
    selector = claim.selector
    model, seed, named = selector.get("model"), selector.get("seed"), selector.get("condition")
    return (
        claim.statistic in ("single", "formula")
        and model in (None, key["model"]["id"])
        and seed in (None, key.get("seed"))
        and (named is None or condition == named or condition.startswith(f"{named}-"))
    )
