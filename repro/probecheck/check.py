"""Hold a probe set to the limits it declares (docs/SCIENCE.md §1)."""

from collections import Counter
from collections.abc import Iterator
from itertools import product

import numpy as np

from repro.errors import InputError
from repro.frozen import Frozen
from repro.geometry.labels import Labels
from repro.geometry.undefined import Array
from repro.manifest.probes import ProbeSet
from repro.probecheck import texts as features
from repro.probecheck.readouts import accuracies, length_leakage

WORDS = "bag of words"
ACTIVATIONS = "activations"


class Finding(Frozen):
    """One property of a set beside its limit."""

    check: str
    """What was looked at, e.g. ``balance``, ``near-duplicates``, ``length leakage``."""
    subject: str
    """The concept, cell, text or pair of texts it is about."""
    found: str
    limit: str
    holds: bool | None
    """None: could not be checked, and `found` says why."""


class Report(Frozen):
    """Everything found about a set."""

    id: str
    content_hash: str
    n: int
    findings: tuple[Finding, ...]
    chance: dict[str, float]
    accuracy: dict[str, dict[str, float]]
    """What is read → concept → leave-one-out accuracy."""

    @property
    def holds(self) -> bool:
        """Whether no declared limit is broken; one that could not be checked is not broken."""
        return all(finding.holds is not False for finding in self.findings)


def check(probes: ProbeSet, activations: Array | None = None) -> Report:
    """Check a set, beside a model's activations (N × D, rows in file order) if given.

    Raises `InputError` when they do not fit the set.
    """
    labels = Labels.of(probes.labels())
    accuracy = {name: accuracies(matrix, labels) for name, matrix in _representations(probes, activations).items()}
    findings = (
        *_balance(probes),
        *_words(probes),
        *_openings(probes),
        *_duplicates(probes),
        *_label_words(probes),
        *_length(probes, labels),
        *_activations(probes, accuracy),
    )
    chance = dict(zip(labels.concepts, map(float, labels.chance), strict=True))
    return Report(
        id=probes.id,
        content_hash=probes.content_hash,
        n=labels.n,
        findings=findings,
        chance=chance,
        accuracy=accuracy,
    )


def _representations(probes: ProbeSet, activations: Array | None) -> dict[str, Array]:
    """Name → N × F matrix of everything a readout is given."""
    written = probes.texts()
    made = {
        WORDS: features.bag_of_words(written),
        "character n-grams": features.character_ngrams(written),
        "function words (content masked)": features.function_words_only(written),
        "content words (function masked)": features.content_words_only(written),
    }
    if activations is not None:
        if activations.ndim != 2 or len(activations) != len(written) or not np.isfinite(activations).all():
            raise InputError(
                f"activations have shape {activations.shape}; expected {len(written)} finite rows, "
                f"one per probe of {probes.id!r} in file order. Capture them from this set."
            )
        made[ACTIVATIONS] = activations.astype(np.float64)
    return made


def _balance(probes: ProbeSet) -> Iterator[Finding]:
    """Cells of each declared combination are as even as the number of probes allows."""
    columns = probes.labels()
    for combination in probes.balanced:
        held = Counter(zip(*(columns[concept] for concept in combination), strict=True))
        cells = [held[cell] for cell in product(*(probes.concepts[concept] for concept in combination))]
        low, high = min(cells), max(cells)
        found = f"{low} each" if low == high else f"{low} to {high}"
        yield Finding(
            check="balance",
            subject=" × ".join(combination),
            found=f"{len(cells)} cells, {found}",
            limit="differ by at most 1",
            holds=high - low <= 1,
        )


def _words(probes: ProbeSet) -> Iterator[Finding]:
    if probes.limits.words is None:
        return
    fewest, most = probes.limits.words
    lengths = {probe.id: len(probe.text.split()) for probe in probes.probes}
    limit = f"{fewest} to {most} words"
    for name, length in lengths.items():
        if not fewest <= length <= most:
            yield Finding(check="length", subject=name, found=f"{length} words", limit=limit, holds=False)
    if fewest <= min(lengths.values()) and max(lengths.values()) <= most:
        found = f"{min(lengths.values())} to {max(lengths.values())} words"
        yield Finding(check="length", subject="all texts", found=found, limit=limit, holds=True)


def _openings(probes: ProbeSet) -> Iterator[Finding]:
    size = probes.limits.openings
    if size is None:
        return
    openings = Counter(" ".join(features.words(text)[:size]) for text in probes.texts())
    opening, times = openings.most_common(1)[0]
    yield Finding(
        check="openings",
        subject=f"first {size} words",
        found=f"{opening!r} opens {times} texts" if times > 1 else "all different",
        limit="all different",
        holds=times == 1,
    )


def _duplicates(probes: ProbeSet) -> Iterator[Finding]:
    if probes.limits.jaccard is None:
        return
    similarity, first, second = features.closest_pair(probes.texts())
    yield Finding(
        check="near-duplicates",
        subject=f"{probes.probes[first].id} | {probes.probes[second].id}",
        found=f"{similarity:.3f} of word trigrams shared",
        limit=f"at most {probes.limits.jaccard}",
        holds=similarity <= probes.limits.jaccard,
    )


def _label_words(probes: ProbeSet) -> Iterator[Finding]:
    patterns = [p for classes in probes.label_words.values() for words in classes.values() for p in words]
    if not patterns:
        return
    hits = {probe.id: features.occurrences(probe.text, patterns) for probe in probes.probes}
    for name, found in hits.items():
        if found:
            yield Finding(check="label words", subject=name, found=", ".join(found), limit="none", holds=False)
    if not any(hits.values()):
        yield Finding(check="label words", subject="all texts", found="none", limit="none", holds=True)


def _length(probes: ProbeSet, labels: Labels) -> Iterator[Finding]:
    limit = probes.limits.length_p
    if limit is None:
        return
    units = {
        "words": [len(text.split()) for text in probes.texts()],
        "characters": [len(text) for text in probes.texts()],
    }
    for unit in probes.limits.length_units:
        lengths = np.array(units[unit], dtype=np.float64)
        for concept, p in length_leakage(lengths, labels).items():
            yield Finding(
                check="length leakage",
                subject=f"{concept} from {unit}",
                found=f"p = {p:.3f}",
                limit=f"p at least {limit}",
                holds=p >= limit,
            )


def _activations(probes: ProbeSet, accuracy: dict[str, dict[str, float]]) -> Iterator[Finding]:
    """What a model's activations must reach, by themselves and above the bag of words."""
    required = (("activations", probes.limits.accuracy, ""), ("lexical gap", probes.limits.lexical_gap, " above words"))
    for name, limits, relation in required:
        for concept, limit in limits.items():
            found, holds = "not checked: no activations given", None
            if ACTIVATIONS in accuracy:
                value = accuracy[ACTIVATIONS][concept] - (accuracy[WORDS][concept] if relation else 0.0)
                found, holds = f"{value:.3f}{relation}", value >= limit - 1e-12
            yield Finding(check=name, subject=concept, found=found, limit=f"at least {limit}", holds=holds)
