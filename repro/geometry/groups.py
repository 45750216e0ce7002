"""Groups of concepts, and of the directions that serve them, for block-diagonal adapters.

Definition: docs/SCIENCE.md §9. R directions, K concepts.
"""

from typing import Literal

import numpy as np

from repro.geometry.diagnosis import Geometry
from repro.geometry.undefined import Array

MUTUAL_SHARE = 0.5
"""Least share of mean own damage that mean mutual damage reaches between concepts that are joined.
"""


def concept_groups(
    geometry: Geometry, grouping: Literal["aligned", "isolated"]
) -> tuple[tuple[str, ...], ...]:
    """Group the concepts of a diagnosis for a block-diagonal adapter.

    `isolated`: one group per concept. `aligned`: concepts that damage each other share a group
    (single linkage). A concept that owns no direction has nothing to be written along and is left
    out.
    """
    own = [concept for concept in geometry.concepts if concept in geometry.own]
    groups = [{concept} for concept in own]
    if grouping == "aligned":
        for first in own:
            for second in own:
                # Joining two concepts joins their whole groups: single linkage.
                if first < second and _joined(geometry, first, second):
                    a, b = (
                        next(group for group in groups if concept in group)
                        for concept in (first, second)
                    )
                    if a is not b:
                        groups.remove(b)
                        a |= b
    return tuple(tuple(concept for concept in own if concept in group) for group in groups)


def group_directions(geometry: Geometry, group: tuple[str, ...]) -> Array:
    """Return the informative directions (D × R') that the concepts of a group own."""
    return geometry.directions[:, [concept in group for concept in geometry.own]]


def _joined(geometry: Geometry, first: str, second: str) -> bool:
    """Tell whether mutual damage, over both concepts' directions, is at least half their own."""
    hurt = np.maximum(geometry.damage, 0.0)
    a, b = geometry.concepts.index(first), geometry.concepts.index(second)
    of_a, of_b = (
        np.array([owner == concept for owner in geometry.own]) for concept in (first, second)
    )
    mutual = hurt[of_a, b].mean() + hurt[of_b, a].mean()
    alone = hurt[of_a, a].mean() + hurt[of_b, b].mean()
    return bool(alone > 0 and mutual >= MUTUAL_SHARE * alone)
