"""Every diagnostic on one's own activations: read and check the files, measure, write the record.

inputs (npz and csv) → compose (all of docs/SCIENCE.md §3–7) → record (the JSON of `repro measure`).
"""

from repro.measure.compose import Measured, measure
from repro.measure.inputs import alike, read_activations, read_labels
from repro.measure.record import alone, record

__all__ = ["Measured", "alike", "alone", "measure", "read_activations", "read_labels", "record"]
