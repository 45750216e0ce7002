"""Check a probe set against the limits it declares (docs/SCIENCE.md §1)."""

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
from repro.probecheck.readouts import length_leakage, readout_accuracies

_WORDS = "bag of words"
ACTIVATIONS = "activations"


class SetFinding(Frozen):
    """One property of a set and its limit."""

    check: str
    """The property, e.g. ``balance``, ``near-duplicates``, ``length leakage``."""
    subject: str
    """The concept, cell, text or pair of texts it is about."""
    found: str
    limit: str
    holds: bool | None
    """None: not checked; `found` says why."""


class Report(Frozen):
    """Everything found about a set."""

    id: str
    content_hash: str
    n: int
    findings: tuple[SetFinding, ...]
    chance: dict[str, float]
    accuracy: dict[str, dict[str, float]]
    """Representation → concept → leave-one-out accuracy."""

    @property
    def holds(self) -> bool:
        """Return whether no declared limit is broken.

        One that could not be checked is not broken.
        """
        return all(finding.holds is not False for finding in self.findings)


def check(probes: ProbeSet, activations: Array | None = None) -> Report:
    """Check a set, with a model's activations (N × D, rows in file order) if given.

    Raises `InputError` when they do not fit the set.
    """
    labels = Labels.of(probes.labels())
    accuracy = {
        name: readout_accuracies(matrix, labels)
        for name, matrix in _representations(probes, activations).items()
    }
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
    """Return name → N × F matrix of everything the readout is given. Raises InputError."""
    written = probes.texts()
    made = {
        _WORDS: features.bag_of_words(written),
        "character n-grams": features.character_ngrams(written),
        "function words (content masked)": features.function_words_only(written),
        "content words (function masked)": features.content_words_only(written),
    }
    if activations is not None:
        if (
            activations.ndim != 2
            or len(activations) != len(written)
            or not np.isfinite(activations).all()
        ):
            raise InputError(
                f"activations have shape {activations.shape}; expected {len(written)} finite rows, "
                f"one per probe of {probes.id!r} in file order. Capture them from this set."
            )
        made[ACTIVATIONS] = activations.astype(np.float64)
    return made


def _balance(probes: ProbeSet) -> Iterator[SetFinding]:
    """Yield whether each declared combination's cells are as equal as the number of probes
    allows.
    """
    columns = probes.labels()
    for combination in probes.balanced:
        held = Counter(zip(*(columns[concept] for concept in combination), strict=True))
        cells = [
            held[cell] for cell in product(*(probes.concepts[concept] for concept in combination))
        ]
        low, high = min(cells), max(cells)
        found = f"{low} each" if low == high else f"{low} to {high}"
        yield SetFinding(
            check="balance",
            subject=" × ".join(combination),
            found=f"{len(cells)} cells, {found}",
            limit="differ by at most 1",
            holds=high - low <= 1,
        )


def _words(probes: ProbeSet) -> Iterator[SetFinding]:
    """Yield each text whose length is outside the limit, or one finding for all."""
    if probes.limits.words is None:
        return
    fewest, most = probes.limits.words
    lengths = {probe.id: len(probe.text.split()) for probe in probes.probes}
    limit = f"{fewest} to {most} words"
    for name, length in lengths.items():
        if not fewest <= length <= most:
            yield SetFinding(
                check="length", subject=name, found=f"{length} words", limit=limit, holds=False
            )
    if fewest <= min(lengths.values()) and max(lengths.values()) <= most:
        found = f"{min(lengths.values())} to {max(lengths.values())} words"
        yield SetFinding(check="length", subject="all texts", found=found, limit=limit, holds=True)


def _openings(probes: ProbeSet) -> Iterator[SetFinding]:
    """Yield whether two texts begin alike."""
    size = probes.limits.openings
    if size is None:
        return
    openings = Counter(" ".join(features.words(text)[:size]) for text in probes.texts())
    opening, times = openings.most_common(1)[0]
    yield SetFinding(
        check="openings",
        subject=f"first {size} words",
        found=f"{opening!r} opens {times} texts" if times > 1 else "all different",
        limit="all different",
        holds=times == 1,
    )


def _duplicates(probes: ProbeSet) -> Iterator[SetFinding]:
    """Yield the two most similar texts."""
    if probes.limits.jaccard is None:
        return
    similarity, first, second = features.closest_pair(probes.texts())
    yield SetFinding(
        check="near-duplicates",
        subject=f"{probes.probes[first].id} | {probes.probes[second].id}",
        found=f"{similarity:.3f} of word trigrams shared",
        limit=f"at most {probes.limits.jaccard}",
        holds=similarity <= probes.limits.jaccard,
    )


def _label_words(probes: ProbeSet) -> Iterator[SetFinding]:
    """Yield each text that contains words naming a label, or one finding for all."""
    patterns = [
        p for classes in probes.label_words.values() for words in classes.values() for p in words
    ]
    if not patterns:
        return
    hits = {probe.id: features.occurrences(probe.text, patterns) for probe in probes.probes}
    for name, found in hits.items():
        if found:
            yield SetFinding(
                check="label words", subject=name, found=", ".join(found), limit="none", holds=False
            )
    if not any(hits.values()):
        yield SetFinding(
            check="label words", subject="all texts", found="none", limit="none", holds=True
        )


def _length(probes: ProbeSet, labels: Labels) -> Iterator[SetFinding]:
    """Yield for each concept and unit whether lengths reveal its labels."""
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
            yield SetFinding(
                check="length leakage",
                subject=f"{concept} from {unit}",
                found=f"p = {p:.3f}",
                limit=f"p at least {limit}",
                holds=p >= limit,
            )


def _activations(probes: ProbeSet, accuracy: dict[str, dict[str, float]]) -> Iterator[SetFinding]:
    """Yield whether a model's activations reach each required accuracy, alone and above the bag
    of words.
    """
    required = (
        ("activations", probes.limits.accuracy, ""),
        ("lexical gap", probes.limits.lexical_gap, " above words"),
    )
    for name, limits, relation in required:
        for concept, limit in limits.items():
            found, holds = "not checked: no activations given", None
            if ACTIVATIONS in accuracy:
                value = accuracy[ACTIVATIONS][concept] - (
                    accuracy[_WORDS][concept] if relation else 0.0
                )
                found, holds = f"{value:.3f}{relation}", value >= limit - 1e-12
            yield SetFinding(
                check=name, subject=concept, found=found, limit=f"at least {limit}", holds=holds
            )
