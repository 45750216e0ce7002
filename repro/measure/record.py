"""The JSON of `repro measure`: plain numbers, and under `undefined` a reason where one lacks."""

from dataclasses import asdict
from typing import Any, TypedDict, cast

import numpy as np

from repro.geometry.interval import BootstrapInterval
from repro.geometry.null import Null
from repro.geometry.similarity import Similarity
from repro.geometry.specification import SpecifiedValue, share
from repro.geometry.sweep import ScalePoint
from repro.geometry.undefined import Undefined
from repro.measure.compose import MeasureContext, MeasuredActivations


class NullRecord(TypedDict):
    """EI where there is nothing to find: of `draws` draws, `undefined` had none."""

    draws: int
    undefined: int
    q025: float | None
    median: float | None
    q975: float | None
    p: float | None
    """Share of draws at least as extreme as the measured EI, between 0 and 1."""


class ScalePointRecord(TypedDict):
    """The same activations times `scale`."""

    scale: float
    ei: float | None
    v_purity: float | None
    sigma_1: float
    accuracy: dict[str, float]


class QuickRecord(TypedDict):
    """What every measurement has: R directions, K concepts; None where `undefined` says why.

    Pure numbers all but `activation_rms`, which has the activations' own unit; accuracies and
    damages are shares of the probes, between 0 and 1.
    """

    entanglement_intensity: float | None
    v_purity: float | None
    accuracy: dict[str, float]
    """Leave-one-out, of each of K concepts."""
    rank: int
    """R, informative directions."""
    singular_values: list[float]
    own: list[str]
    """R: the concept that each direction belongs to."""
    damage: list[list[float]]
    """R × K: accuracy that a concept loses when the direction is removed, not clipped."""
    accuracy_after: list[list[float]]
    """R × K: accuracy that is left."""
    chance: dict[str, float]
    margin: float | None
    weakest_concept: str | None
    theory: float | None
    theory_measured_rank: float | None
    activation_rms: float
    similarity: dict[str, Any]
    """Between the classes of the first concept, or of `domain`."""
    undefined: dict[str, str]
    """Key, or dotted path, of what has no value → the reason."""


class MeasureRecord(QuickRecord, total=False):
    """What a whole measurement has besides."""

    entanglement_intensity_ci: list[float] | None
    """Low and high end at 95 %, from resampled probes."""
    null: dict[str, NullRecord]
    scale_sweep: list[ScalePointRecord]
    specification: dict[str, Any]
    """EI over the readings of its definition: count, minimum, median, maximum, readings."""


def record(measured: MeasuredActivations) -> MeasureRecord:
    """Return the contract's keys.

    A quick measurement has no interval, null, sweep and specification.
    """
    g = measured.geometry
    found: dict[str, Any] = {"entanglement_intensity": g.entanglement_intensity}
    if measured.context:
        found["entanglement_intensity_ci"] = _interval(measured.context.interval)
    found |= {
        "v_purity": g.v_purity,
        "accuracy": g.accuracy,
        "rank": g.rank,
        "singular_values": g.singular_values.tolist(),
        "own": list(g.own),
        "damage": g.damage.tolist(),
        "accuracy_after": g.accuracy_after.tolist(),
        "chance": g.chance,
        "margin": g.margin,
        "weakest_concept": g.weakest_concept,
        "theory": g.theory,
        "theory_measured_rank": g.theory_measured_rank,
        "activation_rms": g.activation_rms,
    }
    if measured.context:
        found |= _context(measured.context)
    found["similarity"] = _similarity(measured.similarity, measured.stratum)
    reasons: dict[str, str] = {}
    plain: dict[str, Any] = _plain(found, "", reasons)
    if g.weakest_concept is None:
        reasons["weakest_concept"] = reasons["margin"]
    return cast(MeasureRecord, plain | {"undefined": reasons})


def alone(measured: MeasuredActivations) -> str | None:
    """Say what to think of EI when there is only one concept; None when there are more.

    The sum over the other concepts is then empty (docs/SCIENCE.md §5).
    """
    if len(measured.geometry.concepts) > 1:
        return None
    return (
        f"{measured.geometry.concepts[0]!r} is the only concept: there is no other to "
        "damage, so EI is 0 or undefined by "
        "construction under every null, scale and reading, and says nothing. Give two "
        "concepts or more."
    )


def _context(context: MeasureContext) -> dict[str, Any]:
    return {
        "null": {kind: _null(null) for kind, null in context.null.items()},
        "scale_sweep": [_point(point) for point in context.sweep],
        "specification": specification(context.readings),
    }


def _interval(interval: BootstrapInterval | Undefined) -> list[float] | Undefined:
    return interval if isinstance(interval, Undefined) else [interval.low, interval.high]


def _null(null: Null) -> dict[str, Any]:
    keys = ("draws", "undefined", "q025", "median", "q975", "p")
    return {key: getattr(null, key) for key in keys}


def _point(point: ScalePoint) -> dict[str, Any]:
    return {
        "scale": point.scale,
        "ei": point.entanglement_intensity,
        "v_purity": point.v_purity,
        "sigma_1": point.sigma_1,
        "accuracy": point.accuracy,
    }


def specification(readings: list[SpecifiedValue]) -> dict[str, Any]:
    """Return how EI varies over the readings of its definition.

    Quantiles are of those readings under which it is defined.
    """
    values = [reading.value for reading in readings if not isinstance(reading.value, Undefined)]
    none = Undefined("EI is undefined under every specification")
    low, middle, high = np.quantile(values, [0, 0.5, 1]).tolist() if values else (none, none, none)
    return {
        "count": len(readings),
        "undefined": len(readings) - len(values),
        "minimum": low,
        "median": middle,
        "maximum": high,
        "share": _shares(readings),
        "readings": [
            asdict(r.specification) | {"entanglement_intensity": r.value} for r in readings
        ],
    }


def _shares(readings: list[SpecifiedValue]) -> dict[str, float]:
    """Return the share of specifications under which statements about EI hold."""
    return {
        "EI > 1: other concepts lose more than the own one": share(readings, lambda ei: ei > 1),
        "0 < EI <= 1": share(readings, lambda ei: 0 < ei <= 1),
        "EI = 0: disentangled": share(readings, lambda ei: ei == 0),
        "EI < 0: removal helps other concepts (unclipped only)": share(readings, lambda ei: ei < 0),
    }


def _similarity(found: Similarity, concept: str) -> dict[str, Any]:
    fields = {name: getattr(found, name) for name in found.__dataclass_fields__ if name != "pairs"}
    pairs = [
        {name: getattr(pair, name) for name in pair.__dataclass_fields__} for pair in found.pairs
    ]
    return {"concept": concept} | fields | {"pairs": pairs}


def _plain(value: Any, where: str, reasons: dict[str, str]) -> Any:
    """Return `value`, each `Undefined` replaced by None, its reason filed under its dotted path."""
    if isinstance(value, Undefined):
        reasons[where] = value.reason
        return None
    if isinstance(value, dict):
        return {
            key: _plain(item, f"{where}.{key}" if where else key, reasons)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_plain(item, f"{where}.{i}", reasons) for i, item in enumerate(value)]
    return value
