"""The JSON of `repro measure`: plain numbers, and a reason under `undefined` for each that is missing."""

from dataclasses import asdict
from typing import Any

import numpy as np

from repro.geometry import Undefined
from repro.geometry.interval import Interval
from repro.geometry.null import Null
from repro.geometry.similarity import Similarity
from repro.geometry.specification import Reading, share
from repro.geometry.sweep import ScalePoint
from repro.measure.compose import Context, Measured


def record(measured: Measured) -> dict[str, Any]:
    """The contract's keys; a quick measurement has no interval, null, sweep and specification."""
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
    return plain | {"undefined": reasons}


def alone(measured: Measured) -> str | None:
    """What to think of EI when there is one concept only: the sum over the other ones is empty (docs/SCIENCE.md §5)."""
    if len(measured.geometry.concepts) > 1:
        return None
    return (
        f"{measured.geometry.concepts[0]!r} is the only concept: there is no other to damage, so EI is 0 or undefined by "
        "construction under every null, scale and reading, and says nothing. Give two concepts or more."
    )


def _context(context: Context) -> dict[str, Any]:
    return {
        "null": {kind: _null(null) for kind, null in context.null.items()},
        "scale_sweep": [_point(point) for point in context.sweep],
        "specification": specification(context.readings),
    }


def _interval(interval: Interval | Undefined) -> list[float] | Undefined:
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


def specification(readings: list[Reading]) -> dict[str, Any]:
    """How EI varies over the readings of its definition; quantiles are of those under which it is defined."""
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
        "readings": [asdict(r.specification) | {"entanglement_intensity": r.value} for r in readings],
    }


def _shares(readings: list[Reading]) -> dict[str, float]:
    """Share of specifications under which statements about EI hold."""
    return {
        "EI > 1: other concepts lose more than the own one": share(readings, lambda ei: ei > 1),
        "0 < EI <= 1": share(readings, lambda ei: 0 < ei <= 1),
        "EI = 0: disentangled": share(readings, lambda ei: ei == 0),
        "EI < 0: removal helps other concepts (unclipped only)": share(readings, lambda ei: ei < 0),
    }


def _similarity(found: Similarity, concept: str) -> dict[str, Any]:
    fields = {name: getattr(found, name) for name in found.__dataclass_fields__ if name != "pairs"}
    pairs = [{name: getattr(pair, name) for name in pair.__dataclass_fields__} for pair in found.pairs]
    return {"concept": concept} | fields | {"pairs": pairs}


def _plain(value: Any, where: str, reasons: dict[str, str]) -> Any:
    """`value` with every `Undefined` replaced by None and its reason filed under its dotted path."""
    if isinstance(value, Undefined):
        reasons[where] = value.reason
        return None
    if isinstance(value, dict):
        return {key: _plain(item, f"{where}.{key}" if where else key, reasons) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, f"{where}.{i}", reasons) for i, item in enumerate(value)]
    return value
