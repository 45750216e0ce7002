"""Every reading of EI's definition (docs/SCIENCE.md §5, "Specification curve").

From one capture or several. The eigendecomposition is shared by all readings of a capture and
centring; clipping and the choice of the own concept cost nothing. N probes, K concepts, R
directions.
"""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from repro.geometry import nested
from repro.geometry.damage import frozen_scores, intensity, removal_scores
from repro.geometry.directions import directions
from repro.geometry.labels import Labels
from repro.geometry.ridge import Spectrum, correct, loo_scores, reduced, spectrum
from repro.geometry.undefined import Array, Integers, Undefined

Removal = Literal["refit", "frozen"]
_Found = Literal["full", "nested"]
Centring = Literal["per_fold", "none"]
Own = Literal["loading", "damage"]

RELATIVE = (1e-3, 1e-2, 1e-1, 1.0)
"""ρ of the relative penalty ρ·trace(K)/n (§5)."""


@dataclass(frozen=True)
class Specification:
    """One reading of the definition; the defaults are the default reading."""

    capture: str = "default"
    """Name of the activations read (the switches of §2)."""
    removal: Removal = "refit"
    directions: _Found = "full"
    centring: Centring = "per_fold"
    clip: bool = True
    own: Own = "loading"
    alpha: str = "absolute"
    """``absolute``, ``anchored`` or ``relative:ρ``."""


@dataclass(frozen=True)
class SpecifiedValue:
    """EI under one specification."""

    specification: Specification
    value: float | Undefined


def specification_curve(
    captures: Mapping[str, Array],
    labels: Labels,
    anchors: Mapping[str, float] | None = None,
    alpha: float = 1.0,
) -> list[SpecifiedValue]:
    """Return EI under every combination of switches for each capture (N × D).

    `anchors` gives trace(K) of step 0 for captures that have one; `anchored` is left out for the
    others.
    """
    readings: list[SpecifiedValue] = []
    for capture, X in captures.items():
        anchor = (anchors or {}).get(capture)
        for base, rows, penalty in _penalties(Specification(capture), X, anchor, alpha):
            readings += _readings(base, rows, labels, penalty)
    return readings


def share(readings: Sequence[SpecifiedValue], statement: Callable[[float], bool]) -> float:
    """Return the share of specifications under which EI is defined and the statement holds."""
    held = sum(not isinstance(r.value, Undefined) and statement(r.value) for r in readings)
    return held / len(readings)


def _penalties(
    base: Specification, X: Array, anchor: float | None, alpha: float
) -> Iterator[tuple[Specification, Spectrum, float]]:
    """Yield each penalty with its reading and rows: centred, and without an intercept."""
    centred_rows = spectrum(X)
    centred_rows = replace(centred_rows, X=reduced(centred_rows.X))
    penalties = {"absolute": alpha}
    if anchor:
        penalties["anchored"] = alpha * centred_rows.trace / anchor
    penalties |= {f"relative:{rho:g}": rho * centred_rows.trace / len(X) for rho in RELATIVE}
    raw_rows = spectrum(reduced(np.asarray(X, dtype=np.float64)), intercept=False)
    for name, penalty in penalties.items():
        if penalty > 0:
            yield replace(base, alpha=name), centred_rows, penalty
            yield replace(base, alpha=name, centring="none"), raw_rows, penalty


def _readings(
    base: Specification, rows: Spectrum, labels: Labels, alpha: float
) -> Iterator[SpecifiedValue]:
    """Yield the readings that share one readout: removal, directions, clip, own."""
    operator = rows.residual_operator(alpha)
    Y = labels.onehot
    full = directions(rows.readout(alpha, Y), labels)
    fold = nested.folds(rows, operator, labels, full.rank)
    same = np.broadcast_to(full.own, (labels.n, full.rank))
    scores: dict[tuple[Removal, _Found], tuple[Array, Integers]] = {
        ("refit", "full"): (removal_scores(rows.X, operator, Y, full.U, alpha), same),
        ("frozen", "full"): (frozen_scores(rows.X, operator, Y, full.U, rows.intercept), same),
        ("refit", "nested"): (nested.refit_scores(rows, operator, labels, fold, alpha), fold.own),
        ("frozen", "nested"): (nested.frozen_scores(rows, operator, labels, fold), fold.own),
    }
    before = correct(loo_scores(operator, Y), labels)
    for (removal, found), (after, loaded) in scores.items():
        loss = before - correct(after, labels)
        by: dict[Own, Integers] = {"loading": loaded, "damage": _most_damaged(loss)}
        for (own, chosen), clip in itertools.product(by.items(), (True, False)):
            reading = replace(base, removal=removal, directions=found, own=own, clip=clip)
            yield SpecifiedValue(reading, _intensity(loss, chosen, clip))


def _most_damaged(loss: Array) -> Integers:
    """Return, as 1 × R, the concept each direction damages most, negative damage included."""
    most: Integers = loss.mean(axis=1).argmax(axis=-1)[None]
    return most


def _intensity(loss: Array, own: Integers, clip: bool) -> float | Undefined:
    """Return EI from the losses of single probes (R × N × K).

    The own concept of a direction (N × R) may differ by fold.
    """
    mask = own.T[:, :, None] == np.arange(loss.shape[-1])
    return intensity(
        np.where(mask, loss, 0.0).mean(axis=1), np.where(mask, 0.0, loss).mean(axis=1), clip
    )
