"""Every scalar and matrix of one checkpoint from its activations and labels (docs/SCIENCE.md §3–6).

N probes, D width, K concepts, R = rank.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from repro.errors import InputError
from repro.geometry import damage as dmg
from repro.geometry.directions import Directions, concentration, directions, first_ratio, v_purity
from repro.geometry.labels import Labels
from repro.geometry.margin import margin
from repro.geometry.ridge import Spectrum, accuracy, centred, loo_scores, single_operator, spectrum
from repro.geometry.undefined import Array, Undefined

ALPHA = 1.0
"""Ridge penalty of the papers (consolidated paper §3.2)."""


@dataclass(frozen=True, eq=False)
class Geometry:
    """What one set of activations says about its concepts; what has no value carries the reason."""

    n: int
    """Probes."""
    width: int
    """D, width of the activations."""
    concepts: tuple[str, ...]
    classes: tuple[tuple[str, ...], ...]
    accuracy: dict[str, float]
    """Leave-one-out accuracy of each concept."""
    chance: dict[str, float]
    """Share of the largest class of each concept."""
    rank: int
    """Informative directions."""
    empty_directions: int
    """Nominal rank Σ(m_j − 1) minus `rank`."""
    singular_values: Array
    """The first max(nominal rank, rank) singular values of the readout."""
    directions: Array
    """D × R: informative directions in activation space."""
    loadings: Array
    """R × K."""
    own: tuple[str, ...]
    """R: the concept each direction loads on most."""
    v_purity: float | Undefined
    damage: Array
    """R × K: accuracy lost, not clipped."""
    accuracy_after: Array
    """R × K: accuracy left."""
    entanglement_intensity: float | Undefined
    entanglement_intensity_anchored: float | Undefined
    """EI with α times trace(K)/trace(K of step 0): a pure change of scale leaves it alone (§5)."""
    margin: float | Undefined
    weakest_concept: str | None
    theory: float | Undefined
    """(R − d_max)/d_max for the nominal rank."""
    theory_measured_rank: float | Undefined
    singular_value_ratio: float | Undefined
    """σ_1/σ_2."""
    singular_value_concentration: float | Undefined
    """(σ_1+σ_2+σ_3)/(σ_4+…+σ_7)."""
    singular_value_sum: float
    singular_value_energy: float
    """Σσ² of the readout: the default reading of the papers' "SV energy" (§4)."""
    activation_rms: float
    """Root mean square of the activations as given, before centring."""
    trace: float
    """trace(K) of the centred activations: the `anchor` of later checkpoints."""


def diagnose(
    X: npt.ArrayLike,
    labels: Labels | Mapping[str, Sequence[str]],
    anchor: float | None = None,
    alpha: float = ALPHA,
) -> Geometry:
    """Compute all diagnostics of activations X (N × D).

    `labels` is one column of class names per concept; `anchor` is `Geometry.trace` of step 0 of the
    same model (None: the anchored EI is undefined). Raises `InputError` when X is not a finite
    matrix with one row per label.
    """
    X = checked(X)
    labels = labels if isinstance(labels, Labels) else Labels.of(labels)
    if labels.n != len(X):
        raise InputError(
            f"activations have {len(X)} rows but there are {labels.n} labels; give one label per "
            "row."
        )
    rows = centred(X)
    gram = rows @ rows.T
    found, before, after = measured(rows, gram, labels, alpha)
    D = dmg.damage(before, after)
    least = margin(rows @ found.U, labels)
    kept = max(labels.nominal_rank, found.rank)
    return Geometry(
        n=labels.n,
        width=X.shape[1],
        concepts=labels.concepts,
        classes=labels.classes,
        accuracy=_named(before, labels),
        chance=_named(labels.chance, labels),
        rank=found.rank,
        empty_directions=max(0, labels.nominal_rank - found.rank),
        singular_values=found.singular_values[:kept],
        directions=found.U,
        loadings=found.loadings,
        own=tuple(labels.concepts[j] for j in found.own),
        v_purity=v_purity(found.loadings),
        damage=D,
        accuracy_after=after,
        entanglement_intensity=dmg.entanglement_intensity(D, found.own),
        entanglement_intensity_anchored=_anchored(rows, gram, labels, anchor, alpha),
        margin=least if isinstance(least, Undefined) else least[0],
        weakest_concept=None if isinstance(least, Undefined) else least[1],
        theory=dmg.theory(labels.nominal_rank, labels.largest_dimension),
        theory_measured_rank=dmg.theory(found.rank, labels.largest_dimension),
        singular_value_ratio=first_ratio(found.singular_values),
        singular_value_concentration=concentration(found.singular_values),
        singular_value_sum=float(found.singular_values.sum()),
        singular_value_energy=float(np.square(found.singular_values).sum()),
        activation_rms=float(np.sqrt(np.vdot(X, X) / X.size)),
        trace=float(np.trace(gram)),
    )


def checked(X: npt.ArrayLike) -> Array:
    """Return X as a float64 matrix.

    Raises `InputError` unless X is two-dimensional, not empty and finite.
    """
    array = np.asarray(X)
    if array.ndim != 2 or 0 in array.shape:
        raise InputError(
            f"activations have shape {array.shape}; expected probes × width, neither empty."
        )
    if (array.dtype.kind, array.dtype.itemsize) == ("u", 2):  # in either byte order
        raise InputError(
            "activations are of type uint16: are they the bits of bfloat16, which NumPy "
            "does not have? Save them as "
            "float32 (X.float().numpy() in torch); whole numbers as int64."
        )
    if array.dtype.kind not in "fiu":
        raise InputError(f"activations are of type {array.dtype}; expected real numbers.")
    array = np.asarray(array, dtype=np.float64)
    if np.isfinite(np.vdot(array, array)):
        return array
    bad = int(np.sum(~np.isfinite(array).all(axis=1)))
    if bad:
        raise InputError(
            f"activations of {bad} of {len(array)} probes are not finite; give none with NaN or "
            "infinity."
        )
    raise InputError(
        f"activations reach {np.abs(array).max():.1e}; their squares overflow. Rescale them."
    )


def measure(rows: Spectrum, labels: Labels, alpha: float) -> tuple[Directions, Array, Array]:
    """Return directions, accuracies before (K) and after each removal (R × K), by §5's default."""
    operator = rows.residual_operator(alpha)
    found = directions(rows.readout(alpha, labels.onehot), labels)
    before = accuracy(loo_scores(operator, labels.onehot), labels)
    after = accuracy(dmg.removal_scores(rows.X, operator, labels.onehot, found.U, alpha), labels)
    return found, before, after


def measured(
    rows: Array, gram: Array, labels: Labels, alpha: float
) -> tuple[Directions, Array, Array]:
    """Measure as `measure` does, from centred activations (N × D) and their Gram matrix (N × N).

    Wide activations (D > N) are measured without eigenvectors, unless rounding forbids it: the
    inverse serves one penalty only, which is all that is asked.
    """
    if rows.shape[1] <= rows.shape[0]:
        return measure(spectrum(rows), labels, alpha)
    try:
        operator = single_operator(gram, alpha)
    except np.linalg.LinAlgError:
        return measure(spectrum(rows), labels, alpha)
    Y = labels.onehot
    NY = operator @ Y
    found = directions((NY.T @ rows).T, labels)
    before = accuracy(loo_scores(operator, Y), labels)
    after = accuracy(
        dmg.span_scores(gram, operator, Y, NY @ found.V / found.lengths, alpha), labels
    )
    return found, before, after


def _anchored(
    rows: Array, gram: Array, labels: Labels, anchor: float | None, alpha: float
) -> float | Undefined:
    """Return EI with the penalty scaled by trace(K) over that of step 0."""
    if anchor is None:
        return Undefined("no activations of step 0 of the same model to anchor the penalty to")
    trace = float(np.trace(gram))
    if anchor <= 0 or trace <= 0:
        return Undefined("activations do not vary, so the penalty cannot be anchored")
    found, before, after = measured(rows, gram, labels, alpha * trace / anchor)
    return dmg.entanglement_intensity(dmg.damage(before, after), found.own)


def _named(values: Array, labels: Labels) -> dict[str, float]:
    return {name: float(value) for name, value in zip(labels.concepts, values, strict=True)}
