"""Pure maths: arrays in, arrays out. Definitions: docs/SCIENCE.md §3–8 and §11.

ridge (readout, leave-one-out) → directions → damage, margin → diagnosis (everything of one
checkpoint); around them the interval, the nulls, the specification curve, the scale sweep,
similarity, crosstalk and trajectories.
"""

from repro.geometry.diagnosis import Geometry, diagnose
from repro.geometry.labels import Labels
from repro.geometry.undefined import Undefined

__all__ = ["Geometry", "Labels", "Undefined", "diagnose"]
