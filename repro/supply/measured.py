"""Measure what authors sent: activations and adapters, by the functions that measure a run.

So a value has one meaning, whoever's files it comes from (docs/SCIENCE.md §3–6, §12).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from repro.diagnose.diagnostics import anchor_of, measurements
from repro.diagnose.profiles import MODULES, UpdateProfile, of_product, profile_rows
from repro.errors import InputError
from repro.evidence.measurement import Measurement
from repro.geometry.labels import Labels
from repro.geometry.undefined import Undefined
from repro.manifest.experiment import Diagnostics
from repro.manifest.load import load_models
from repro.manifest.model import HubWeights
from repro.measure.compose import refuse_unmeasurable
from repro.measure.inputs import is_half, read_activations, read_labels
from repro.measure.updates import SETTINGS, read_updates
from repro.plan.safetensors_header import read_json_whole
from repro.supply.folder import Sent, SentFile

_COMPANIONS = "crosstalk"
_EVERY = Diagnostics(every=1, also=("similarity", _COMPANIONS))
"""What is measured of activations. Nulls and intervals, which take minutes, are left to
`repro measure`.
"""
_FEWEST = 3
"""Domains from which one has companions to be told apart from."""


@dataclass(frozen=True)
class MeasuredFile:
    """A file and what it gives."""

    file: SentFile
    rows: tuple[Measurement, ...]
    half: bool = False
    """Whether its numbers were stored with half the digits (16 bits)."""
    doubt: str = ""
    """Why it may be of another model than the one that is named."""


def measure_all(sent: Sent) -> Iterator[MeasuredFile]:
    """Measure every file that the index names, step 0 first. Raises InputError, naming the line.

    Anchored values need step 0 of the same run, else of the same model.
    """
    anchors: dict[tuple[object, ...], float] = {}
    for file in sent.files:
        try:
            found = (
                _activations(sent, file, anchors)
                if file.kind == "activations"
                else _adapter(sent, file)
            )
        except InputError as error:
            said = str(error).replace(f"{sent.path}/", "")
            raise InputError(f"{file.place}: {said}") from None
        yield found


def _activations(
    sent: Sent, file: SentFile, anchors: dict[tuple[object, ...], float]
) -> MeasuredFile:
    """Measure activations."""
    path, run = sent.path / file.name, file.run
    X = read_activations(path)
    labels = read_labels(sent.path / file.labels, len(X))
    _refuse_width(file, X.shape[1])
    own, model = (run.model, run.condition, run.seed, run.axes), (run.model, run.axes)
    anchor = anchors.get(own, anchors.get(model)) if run.step else None
    with refuse_unmeasurable(X):
        rows = measurements(X, _columns(labels), run.step, _wanted(labels), anchor, run.probe_set)
    if run.step == 0 and (trace := anchor_of(rows, run.probe_set)) is not None:
        anchors[own] = trace
        anchors.setdefault(model, trace)
    elif anchor is None:  # no step 0: what is anchored to itself says nothing
        rows = [row for row in rows if row.specification != "anchored"]
    return MeasuredFile(file, tuple(rows), is_half(path))


def _wanted(labels: Labels) -> Diagnostics:
    """Return what these labels allow to measure."""
    if len(labels.classes[labels.stratum]) >= _FEWEST:
        return _EVERY
    also = tuple(name for name in _EVERY.also if name != _COMPANIONS)
    return _EVERY.model_copy(update={"also": also})


def _columns(labels: Labels) -> dict[str, list[str]]:
    """Return one column of class names per concept."""
    return {
        name: [labels.classes[place][code] for code in labels.codes[:, place]]
        for place, name in enumerate(labels.concepts)
    }


def _adapter(sent: Sent, file: SentFile) -> MeasuredFile:
    """Measure the entropies of an adapter's updates of the query and value projections."""
    profiles: list[tuple[str, UpdateProfile | Undefined]] = []
    for update in read_updates(sent.path / file.name):
        if update.layer.rpartition(".")[2] in MODULES:
            _refuse_width(file, update.A.shape[1])
            profiles.append((update.layer, of_product(update.B, update.A)))
    if not profiles:
        raise InputError(
            f"{file.name}: trains none of {', '.join(MODULES)}, whose updates are read"
        )
    rows = tuple(profile_rows(profiles, file.run.step))
    return MeasuredFile(file, rows, doubt=_other_base(sent, file))


def _other_base(sent: Sent, file: SentFile) -> str:
    """Return that an adapter names another base model than the line does; empty where it does not.

    Only names of repositories are compared: a path on the sender's disk says nothing.
    """
    model = load_models().get(file.run.model)
    settings = read_json_whole(sent.path / file.name / SETTINGS, str(sent.path))
    named = settings.get("base_model_name_or_path")
    if model is None or not isinstance(named, str) or named.count("/") != 1:
        return ""
    repository = model.origin[0]
    if isinstance(model.weights, HubWeights) and named.casefold() != repository.casefold():
        return (
            f"{file.place}: {file.name}: {SETTINGS} names the base model {named}, and "
            f"{file.run.model} is {repository}: is it of another model?"
        )
    return ""


def _refuse_width(file: SentFile, width: int) -> None:
    """Raise InputError where the known model that is named has another width."""
    model = load_models().get(file.run.model)
    if model is not None and model.architecture.hidden != width:
        raise InputError(
            f"{file.name}: is {width} wide, and {file.run.model} is {model.architecture.hidden}: "
            "of another model; name the model that it is of"
        )
