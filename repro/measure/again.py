"""Measure a finished run again from the activations it kept, by the functions that measured it.

A digest says that a number has not changed since; this says that it is the number its activations
give. What comes from the model itself (losses, entropies, the log of training) cannot be made
again without it, and is counted apart.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import isclose
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import ValidationError

from repro.diagnose.diagnostics import anchor_of, measurements
from repro.errors import EvidenceError, InputError, SetupError
from repro.evidence.folder import STEPS, RunFolder, read_json
from repro.evidence.marker import Marker
from repro.evidence.measurement import Measurement
from repro.evidence.request import read_request
from repro.geometry.undefined import Array
from repro.manifest.explain import explain
from repro.manifest.probes import ProbeSet
from repro.measure.inputs import KEY
from repro.measure.tensors import find_tensor, stored_numbers
from repro.plan.run import Run

ROUNDING_GAP = 1e-9
"""Largest relative gap that another machine's rounding of sums explains."""
_Place = tuple[tuple[str, object], ...]


@dataclass(frozen=True)
class OtherNumber:
    """A number of the evidence that its activations do not give."""

    place: str
    """Step and what is measured there, in words."""
    stored: str
    again: str

    @property
    def line(self) -> str:
        """Say it in one line, with both."""
        return f"{self.place}: the evidence says {self.stored}, its activations give {self.again}"


@dataclass(frozen=True)
class MeasuredAgain:
    """What a run's activations say of its numbers."""

    run: str
    folder: Path
    same: int
    """Numbers, or reasons for none, that were made again and agree."""
    unmade: int
    """Numbers that come from the model itself."""
    others: tuple[OtherNumber, ...] = ()
    missing: tuple[str, ...] = ()
    """Why some geometry could not be made again; it then passes for nothing."""
    base: tuple[Measurement, ...] = ()
    """What step 0 gives, to which later steps and runs are anchored."""


def measure_again(folder: RunFolder, before: Mapping[str, MeasuredAgain]) -> MeasuredAgain:
    """Measure a finished run again. `before`: those of this call, by id, parents first.

    Raises EvidenceError for a file that cannot be read, or probes that are not the run's.
    """
    request = read_request(folder.path)
    marker = folder.done()
    if marker is None:
        raise EvidenceError(f"{folder.path}: not finished; run it again to go on")
    work = _Work(
        folder, request.run, _probe_sets(folder, request.run), _diverged(marker),
        frozenset(marker.files),
    )  # fmt: skip
    work.last = max((int(Path(x).stem) for x in marker.files if fnmatchcase(x, STEPS)), default=0)
    if parent := request.run.parent:
        known = before.get(parent.id)
        work.base = [*known.base] if known and known.base else folder.start.measurements(0)
        if not known or not known.base:
            work.missing.append(f"anchored to {parent.slot}, which was not measured again")
    stored = sorted(int(Path(name).stem) for name in work.files if fnmatchcase(name, STEPS))
    rows = {step: folder.measurements(step) for step in stored}
    if not work.diverged:
        # One that is gone with its digest would pass, and its activations would say nothing.
        rows |= {step: [] for step in request.run.measured_steps() if step not in rows}
    layer = request.run.diagnostics.layer
    quantities = {row.quantity for every in rows.values() for row in every if row.layer == layer}
    for step, every in sorted(rows.items()):
        # Under no other layer either: a forged row would stand beside the true one.
        geometry = [row for row in every if row.layer == layer or row.quantity in quantities]
        work.unmade += len(every) - len(geometry)
        work.compare(step, geometry)
    return MeasuredAgain(
        request.slot, folder.path, work.same, work.unmade, tuple(work.others),
        tuple(work.missing), tuple(work.base),
    )  # fmt: skip


@dataclass
class _Work:
    """What is found out about one run, step by step."""

    folder: RunFolder
    run: Run
    sets: Sequence[ProbeSet]
    diverged: str
    files: frozenset[str]
    """What the marker lists: nothing else is evidence, or was checked."""
    last: int = 0
    """The last checkpoint."""
    base: list[Measurement] = field(default_factory=list)
    same: int = 0
    unmade: int = 0
    others: list[OtherNumber] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def compare(self, step: int, rows: Sequence[Measurement]) -> None:
        """Measure one checkpoint again and compare it with its rows."""
        names = {None if x.id == self.run.probe_set else x.id: x for x in self.sets}
        strange = [row for row in rows if row.probe_set not in names]
        self.others += [OtherNumber(_words(_place(x)), _value(x), "nothing") for x in strange]
        for named, probes in names.items():
            stored, X = (
                [row for row in rows if row.probe_set == named],
                self._kept(step, named),
            )
            if X is None:
                if stored or (step in self.run.measured_steps() and not self.diverged):
                    of = f" of {named}" if named else ""
                    self.missing.append(f"step {step}: no activations are kept{of}")
                continue
            first = step == 0 and self.run.parent is None
            anchor = None if first else anchor_of(self.base or self.folder.measurements(0), named)
            again = measurements(X, probes.labels(), step, self.run.diagnostics, anchor, named)
            self.base += again if first else []
            found = _compared(stored, again, self.diverged if step == self.last else "")
            self.others += found
            self.same += len(stored) - len(found)

    def _kept(self, step: int, named: str | None) -> npt.NDArray[np.float32] | Array | None:
        """Return the activations (N × D) of a checkpoint on a set; None where none are kept.

        Raises EvidenceError for a file that is none of activations.
        """
        name = f"activations/{step:06d}{f'.{named}' if named else ''}.safetensors"
        path = self.folder.path / name
        if name not in self.files or not path.is_file():
            return None
        try:
            return np.asarray(stored_numbers(find_tensor(path, KEY)))
        except (InputError, SetupError) as error:
            raise EvidenceError(str(error)) from None


def _probe_sets(folder: RunFolder, run: Run) -> list[ProbeSet]:
    """Return the sets that a run was measured on, as its folder has them. Raises EvidenceError."""
    expected = {run.probe_set: run.probe_hash, **run.also_probe_sets}
    sets = []
    for name, content in expected.items():
        path = folder.path / run.probe_file(name)
        try:
            probes = ProbeSet.model_validate(read_json(path))
        except ValidationError as error:
            raise EvidenceError(f"{path}: is no probe set ({explain(error, ProbeSet)})") from None
        if probes.content_hash != content:
            raise EvidenceError(
                f"{path}: texts or labels were changed (hash {probes.content_hash[:12]}, the run was made "
                f"with {content[:12]}); restore the file, or repair the run (`repro run … --repair`)"
            )
        sets.append(probes)
    return sets


def _diverged(marker: Marker) -> str:
    """Return why a run diverged: its last checkpoint's EI has that for a reason, not a value."""
    return (marker.reason or "").split(";")[0] if marker.status == "diverged" else ""


def _compared(
    stored: Sequence[Measurement], again: Sequence[Measurement], diverged: str
) -> list[OtherNumber]:
    """Return where what is stored is not what was made again, in either direction."""
    left, right = ({_place(row): row for row in rows} for rows in (stored, again))
    found = [] if len(left) == len(stored) else [OtherNumber("a row", "twice", "one")]
    for place in sorted(left.keys() | right.keys(), key=str):
        one, other = left.get(place), right.get(place)
        withheld = one and one.quantity == "entanglement_intensity" and one.reason == diverged
        if not _agree(one, other) and not (diverged and withheld):
            found.append(OtherNumber(_words(place), _value(one), _value(other)))
    return found


def _agree(one: Measurement | None, other: Measurement | None) -> bool:
    if one is None or other is None:
        return one is other
    if one.n != other.n or one.value is None or other.value is None:
        return (one.value, one.reason, one.n) == (other.value, other.reason, other.n)
    return isclose(one.value, other.value, rel_tol=ROUNDING_GAP, abs_tol=ROUNDING_GAP)


def _place(row: Measurement) -> _Place:
    return tuple(row.model_dump(exclude={"value", "reason", "n"}).items())


def _words(place: _Place) -> str:
    """Return what is measured, and where, without what is not set."""
    given = dict(place)
    step, quantity = given.pop("step"), given.pop("quantity")
    shown = [str(x) for key, x in given.items() if x not in (None, "default") and key != "layer"]
    return ", ".join((f"step {step}: {quantity}", *shown))


def _value(row: Measurement | None) -> str:
    if row is None:
        return "nothing"
    return f"none ({row.reason})" if row.value is None else f"{row.value:.12g} (n {row.n})"
