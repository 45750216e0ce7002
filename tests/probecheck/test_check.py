"""A clean set passes the check; every fault planted in it is found, and nothing else is blamed."""

from collections.abc import Callable

import numpy as np
import pytest

from repro.errors import InputError
from repro.geometry.labels import Labels
from repro.geometry.undefined import Array
from repro.manifest.probes import Probe, ProbeSet, load_probe_set
from repro.probecheck import Report, check

CLEAN = load_probe_set("factorial_48")
DESIGN = Labels.of(CLEAN.labels())


def rewritten(change: Callable[[int, Probe], str]) -> ProbeSet:
    """The clean set with every text changed."""
    probes = [
        probe.model_copy(update={"text": change(row, probe)})
        for row, probe in enumerate(CLEAN.probes)
    ]
    return ProbeSet.model_validate(
        {**CLEAN.model_dump(exclude={"probes"}), "probes": [p.model_dump() for p in probes]}
    )


def broken(report: Report) -> set[str]:
    return {finding.check for finding in report.findings if finding.holds is False}


def separable(noise: float) -> Array:
    """Activations that hold the labels in plain sight, under noise."""
    rng = np.random.default_rng(0)
    return 3 * DESIGN.onehot @ rng.normal(size=(DESIGN.onehot.shape[1], 40)) + noise * rng.normal(
        size=(DESIGN.n, 40)
    )


@pytest.mark.worker
def test_the_clean_set_breaks_nothing_and_says_what_it_could_not_check() -> None:
    report = check(CLEAN)
    assert report.holds
    assert broken(report) == set()
    unchecked = {(f.check, f.subject) for f in report.findings if f.holds is None}
    assert unchecked == {("activations", c) for c in DESIGN.concepts} | {
        ("lexical gap", c) for c in ("register", "shape")
    }
    assert report.content_hash == CLEAN.content_hash


@pytest.mark.worker
def test_activations_that_hold_the_labels_pass_and_noise_does_not() -> None:
    assert check(CLEAN, separable(noise=0.1)).holds
    noise = np.random.default_rng(1).normal(size=(48, 40))
    assert broken(check(CLEAN, noise)) == {"activations", "lexical gap"}


@pytest.mark.worker
def test_a_missing_text_unbalances_the_cells() -> None:
    doubled = CLEAN.model_copy(update={"probes": (*CLEAN.probes[2:], *_copies(CLEAN.probes[2:4]))})
    assert "balance" in broken(check(doubled))


def _copies(probes: tuple[Probe, ...]) -> tuple[Probe, ...]:
    return tuple(probe.model_copy(update={"id": f"{probe.id}-again"}) for probe in probes)


@pytest.mark.worker
def test_a_text_used_twice_is_a_near_duplicate_and_a_repeated_opening() -> None:
    twice = rewritten(lambda row, probe: CLEAN.probes[0].text if row == 5 else probe.text)
    report = check(twice)
    assert {"near-duplicates", "openings"} <= broken(report)
    blamed = next(finding for finding in report.findings if finding.check == "near-duplicates")
    assert blamed.subject == f"{CLEAN.probes[0].id} | {CLEAN.probes[5].id}"


@pytest.mark.worker
def test_a_template_is_a_repeated_opening() -> None:
    assert "openings" in broken(
        check(rewritten(lambda _, probe: f"Consider the following. {probe.text}"))
    )


@pytest.mark.worker
def test_a_label_word_is_found_in_the_text_that_holds_it() -> None:
    given_away = rewritten(
        lambda row, probe: probe.text + (" Speaking informally." if row == 7 else "")
    )
    report = check(given_away)
    assert broken(report) == {"label words"}
    assert [f.subject for f in report.findings if f.check == "label words"] == [CLEAN.probes[7].id]


@pytest.mark.worker
@pytest.mark.parametrize("concept", CLEAN.concepts)
def test_longer_texts_in_one_class_leak_their_length(concept: str) -> None:
    longer = CLEAN.concepts[concept][0]
    padded = rewritten(
        lambda row, probe: (
            probe.text + f" {row}a {row}b {row}c" * 6
            if probe.labels[concept] == longer
            else probe.text
        )
    )
    leaks = {
        f.subject.split()[0]
        for f in check(padded).findings
        if f.check == "length leakage" and f.holds is False
    }
    assert leaks == {concept}


@pytest.mark.worker
def test_a_marker_word_closes_the_gap_between_words_and_activations() -> None:
    markers = {
        "formal": "herewith",
        "informal": "lol",
        "technical": "spec",
        "conversational": "mate",
    }
    marked = rewritten(
        lambda _, probe: f"{probe.text} {' '.join([markers[probe.labels['register']]] * 9)}"
    )
    report = check(marked, separable(noise=0.1))
    gaps = {f.subject: f.holds for f in report.findings if f.check == "lexical gap"}
    assert gaps == {"register": False, "shape": True}
    assert report.accuracy["bag of words"]["register"] > 0.95


@pytest.mark.worker
def test_texts_out_of_the_declared_length_are_named() -> None:
    short = rewritten(lambda row, probe: "Rather short, that." if row == 3 else probe.text)
    assert [
        f.subject for f in check(short).findings if f.check == "length" and f.holds is False
    ] == [CLEAN.probes[3].id]


def test_only_declared_limits_are_checked() -> None:
    lenient = ProbeSet.model_validate(
        {**CLEAN.model_dump(exclude={"limits", "balanced", "label_words"})}
    )
    report = check(lenient)
    assert report.findings == ()
    assert set(report.accuracy) >= {"bag of words", "character n-grams"}


@pytest.mark.parametrize("shape", [(47, 8), (48,)])
def test_activations_of_another_set_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="48 finite rows"):
        check(CLEAN, np.zeros(shape))
