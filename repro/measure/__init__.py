"""Every diagnostic on one's own activations: read and check the files, measure, write the record.

inputs (npz and csv) → compose (all of docs/SCIENCE.md §3–7) → record (the JSON of `repro measure`).
"""

from repro.measure.compose import MeasuredActivations, measure
from repro.measure.inputs import (
    alike,
    read_activations,
    read_labels,
    usable_activations,
    usable_labels,
)
from repro.measure.record import alone, record

__all__ = [
    "MeasuredActivations",
    "alike",
    "alone",
    "measure",
    "read_activations",
    "read_labels",
    "record",
    "usable_activations",
    "usable_labels",
]
