"""Crosstalk between domains: what removing one domain's directions costs another's recall
(docs/SCIENCE.md §8).

Source: consolidated paper §3.6, Definitions 1 and 2. Its "normalized damage" is not explained:
damage here is the drop of recall, between 0 and 1, not normalised further.

N probes, D width, G domains, R directions.
"""

from dataclasses import dataclass

import numpy as np

from repro.geometry.damage import removal_scores
from repro.geometry.directions import Directions, directions
from repro.geometry.labels import Labels
from repro.geometry.ridge import correct, loo_scores, spectrum
from repro.geometry.undefined import Array, Undefined


@dataclass(frozen=True)
class CrosstalkPair:
    """Interference between a primary domain and one companion."""

    primary: str
    companion: str
    crosstalk: float
    """½ (D_{A→B} + D_{B→A})."""
    block_diagonal_ratio: float | Undefined
    asymmetry: float | Undefined


@dataclass(frozen=True, eq=False)
class Crosstalk:
    """Damage between all domains."""

    domains: tuple[str, ...]
    damage: Array
    """G × G: entry (A, B) is the mean clipped drop of B's recall when one of A's directions is
    removed.
    """
    counts: tuple[int, ...]
    """Directions that belong to each domain; 0 means its own readout column stood in."""


def crosstalk(X: Array, labels: Labels, alpha: float = 1.0) -> Crosstalk:
    """Measure the damage between all domains of activations X (N × D).

    Domains are the classes of the stratum concept (`domain`, else the first concept).
    """
    rows = spectrum(X)
    operator = rows.residual_operator(alpha)
    W = rows.readout(alpha, labels.onehot)
    belonging = domain_directions(W, directions(W, labels), labels)
    U = np.concatenate([found for found, _ in belonging], axis=1)
    before = correct(loo_scores(operator, labels.onehot), labels)
    after = correct(removal_scores(rows.X, operator, labels.onehot, U, alpha), labels)
    members = labels.onehot[:, labels.blocks[labels.stratum]]
    drop = np.maximum((before - after)[..., labels.stratum] @ members / members.sum(axis=0), 0)
    ends = np.cumsum([found.shape[1] for found, _ in belonging])[:-1]
    matrix = np.stack([part.mean(axis=0) for part in np.split(drop, ends)])
    return Crosstalk(labels.classes[labels.stratum], matrix, tuple(count for _, count in belonging))


def domain_directions(W: Array, found: Directions, labels: Labels) -> list[tuple[Array, int]]:
    """Return each domain's directions (D × count) and their count.

    A domain without directions gets its normalised readout column and the count 0.
    """
    block = labels.blocks[labels.stratum]
    ours = found.own == labels.stratum
    nearest = np.square(found.V[block]).argmax(axis=0)
    belonging = []
    for c in range(labels.cardinalities[labels.stratum]):
        U = found.U[:, ours & (nearest == c)]
        column = W[:, block.start + c, None]
        length = float(np.linalg.norm(column)) or 1.0
        belonging.append((U, U.shape[1]) if U.shape[1] else (column / length, 0))
    return belonging


def pair(found: Crosstalk, primary: str, companion: str) -> CrosstalkPair:
    """Return crosstalk, block-diagonal ratio and asymmetry of two domains."""
    a, b = found.domains.index(primary), found.domains.index(companion)
    D = found.damage
    off, diagonal = float(D[a, b] + D[b, a]), float(D[a, a] + D[b, b])
    ratio = (
        diagonal / (diagonal + off)
        if diagonal + off > 0
        else Undefined("no damage at all between these domains")
    )
    asymmetry = (
        abs(float(D[a, b] - D[b, a])) / off if off > 0 else Undefined("no damage either way")
    )
    return CrosstalkPair(primary, companion, off / 2, ratio, asymmetry)


def companions(found: Crosstalk, primary: str) -> list[CrosstalkPair]:
    """Rank all other domains by rising crosstalk with `primary`: the order the papers prefer."""
    others = [domain for domain in found.domains if domain != primary]
    return sorted(
        (pair(found, primary, other) for other in others), key=lambda p: (p.crosstalk, p.companion)
    )
