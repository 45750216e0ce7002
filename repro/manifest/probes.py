"""Probe sets: labelled texts whose activations are measured (docs/SCIENCE.md §1).

A set is a folder with `probes.jsonl` (one text a line, in the row order of every activation matrix)
and `concepts.yaml` (declared classes, what is balanced, the limits it is checked against). The
project's lie under probes/; a user's own folder is accepted wherever a name is.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, model_validator

from repro.errors import ManifestError
from repro.files import digest, is_file
from repro.frozen import Frozen
from repro.manifest.explain import brief, explain
from repro.manifest.names import Name
from repro.manifest.recipe import read_recipe
from repro.manifest.yaml import read_yaml, validate
from repro.names import nearest
from repro.shipped import ROOT, places
from repro.spelling import is_missing, look_alike, no_text

PROBES = ROOT / "probes"
"""The probe sets that come with the project."""
_LARGEST = 64 << 20  # bytes of a set's texts


class Probe(Frozen):
    """One text and its class in every concept."""

    id: str = Field(min_length=1)
    labels: dict[str, str]
    """Concept → class, e.g. ``{"domain": "code", "register": "formal", "shape": "causal"}``."""
    text: str = Field(min_length=1)


class ProbeLimits(Frozen):
    """The limits `repro probes check` tests. A limit that is not declared is not checked."""

    words: tuple[int, int] | None = None
    """Fewest and most words of one text."""
    openings: int | None = Field(default=None, ge=1)
    """No two texts begin with the same words, compared over this many."""
    length_p: float | None = Field(default=None, ge=0, le=1)
    """Smallest permutation p, after Holm over concepts, of a readout that sees only lengths."""
    length_units: tuple[Literal["words", "characters"], ...] = ("words", "characters")
    """Lengths that `length_p` tests.

    Long words are part of a register, so a large set cannot be even in both.
    """
    jaccard: float | None = Field(default=None, ge=0, le=1)
    """Largest share of word trigrams that two texts may have in common."""
    lexical_gap: dict[str, float] = Field(default={})
    """Per concept, how much the accuracy of a model's activations must exceed the bag of words'."""
    accuracy: dict[str, float] = Field(default={})
    """Per concept, the leave-one-out accuracy a model's activations must reach."""


class ProbeSet(Frozen):
    """A probe set: its design, its declared classes, its texts."""

    id: Name
    title: str
    design: str
    """One sentence: which cells hold how many texts."""
    licence: str
    concepts: dict[str, tuple[str, ...]] = Field(min_length=1)
    """Concept → its declared classes, sorted: the columns of the one-hot label matrix."""
    balanced: tuple[tuple[str, ...], ...] = ()
    """Combinations of concepts whose cells have probe numbers as equal as the set's size allows."""
    label_words: dict[str, dict[str, tuple[str, ...]]] = Field(default={})
    """Concept → class → words that no text may contain; a trailing ``*`` stands for any ending."""
    limits: ProbeLimits = ProbeLimits()
    probes: tuple[Probe, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        """Require sorted, distinct classes, known concepts and probe ids that differ."""
        if problem := next(self._problems(), None):
            raise ValueError(problem)
        return self

    def _problems(self) -> Iterator[str]:
        """Yield what is wrong with the declarations, in words."""
        for concept, classes in self.concepts.items():
            if len(set(classes)) < 2 or list(classes) != sorted(set(classes)):
                yield (
                    f"concept {concept!r} declares {list(classes)}; expected at least two "
                    "different classes, sorted"
                )
            if missing := next((name for name in classes if is_missing(name)), None):
                yield (
                    f"concept {concept!r} declares {missing!r}, which reads as a missing label; write "
                    "the class in full"
                )
            for group in look_alike(classes):
                yield (
                    f"concept {concept!r} declares classes that look alike: "
                    f"{', '.join(map(ascii, group))}; keep one"
                )
        named = {c for cell in self.balanced for c in cell} | self.label_words.keys()
        named |= self.limits.lexical_gap.keys() | self.limits.accuracy.keys()
        if unknown := sorted(named - self.concepts.keys()):
            yield (
                f"{unknown} named under balanced, label_words or limits; the concepts are "
                f"{sorted(self.concepts)}: add it to them, or leave it out there"
            )
        if len({probe.id for probe in self.probes}) < len(self.probes):
            twice = Counter(probe.id for probe in self.probes).most_common(1)[0][0]
            yield f"two probes have the same id, {twice!r}; give each its own"

    @cached_property
    def content_hash(self) -> str:
        """Return the SHA-256 of ids, labels and texts in file order.

        It is the set's name in every result.
        """
        return digest([[probe.id, probe.labels, probe.text] for probe in self.probes])

    def texts(self) -> list[str]:
        """Return the n texts, in row order."""
        return [probe.text for probe in self.probes]

    def labels(self) -> dict[str, list[str]]:
        """Return concept → class of each of the n probes, in row order.

        Concepts sorted by name. Sums over concepts, and ties between them, depend on their
        order; the set's name does not. So the order is fixed, whatever the file's.
        """
        return {
            concept: [probe.labels[concept] for probe in self.probes]
            for concept in sorted(self.concepts)
        }


class Declared(Frozen):
    """What is known of a set without its texts, which may not have been fetched yet."""

    id: str
    concepts: dict[str, tuple[str, ...]]
    size: int
    """Number of probes."""
    content_hash: str
    """Hash of the texts; while there are none, of the recipe, marked as such."""
    materialised: bool


def declared(name_or_path: str | Path) -> Declared:
    """Return what a set declares, with or without its texts. Raises ManifestError."""
    folder = probe_folder(name_or_path)
    recipe = read_recipe(folder)
    if recipe is None or (folder / "probes.jsonl").is_file():
        probes = load_probe_set(folder)
        known = {
            "size": len(probes.probes),
            "content_hash": probes.content_hash,
            "materialised": True,
        }
        return Declared(id=probes.id, concepts=probes.concepts, **known)
    content, path = read_yaml(folder / "concepts.yaml"), folder / "concepts.yaml"
    none_yet = [Probe(id=str(number), labels={}, text="-") for number in range(2)]
    design = validate(ProbeSet, {**_fields(content, path), "probes": none_yet}, str(path))
    unknown = {
        "size": recipe.size,
        "content_hash": f"recipe:{digest(recipe.model_dump(mode='json'))}",
    }
    return Declared(id=design.id, concepts=design.concepts, materialised=False, **unknown)


def load_probe_set(name_or_path: str | Path) -> ProbeSet:
    """Return the probe set of that name under probes/, or in that folder.

    Raises ManifestError for an invalid one.
    """
    folder = probe_folder(name_or_path)
    if not (folder / "probes.jsonl").exists() and read_recipe(folder):
        raise ManifestError(
            f"{folder}: a recipe whose texts are not here; `repro fetch` of a manifest that "
            "measures on it brings them "
            "where its sources can be reached (or copy probes.jsonl there from such a machine)"
        )
    files = (folder / "concepts.yaml", folder / "probes.jsonl")
    return _read_once(folder, tuple(map(_state, files)))


def _state(file: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is written; None where there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=32)
def _read_once(folder: Path, _states: tuple[tuple[int, int, int] | None, ...]) -> ProbeSet:
    """Read a set; many manifests name the same one. A file that changed is read anew."""
    declaration = folder / "concepts.yaml"
    declared = _fields(read_yaml(declaration), declaration)
    probes = tuple(_read_probes(folder / "probes.jsonl", _classes(declared, declaration)))
    return validate(ProbeSet, {**declared, "probes": probes}, str(declaration))


def probe_set_names() -> list[str]:
    """Return the names of the sets under probes/."""
    return sorted(path.parent.name for path in PROBES.glob("*/concepts.yaml"))


def probe_folder(name_or_path: str | Path) -> Path:
    """Return the folder of the named set, or the given folder.

    Raises ManifestError when there is none.
    """
    for folder in (*(place / name_or_path for place in places("probes")), Path(name_or_path)):
        if is_file(folder / "concepts.yaml"):
            return folder
    raise ManifestError(
        f"no probe set {str(name_or_path)!r}: expected one of {', '.join(probe_set_names())}; "
        f"{nearest(str(name_or_path), probe_set_names())}"
        "or give a folder with concepts.yaml and probes.jsonl"
    )


def _fields(content: Any, path: Path) -> dict[str, Any]:
    """Return the fields of concepts.yaml. Raises ManifestError."""
    if isinstance(content, dict) and "probes" not in content:
        return content
    found = "the field probes" if isinstance(content, dict) else brief(content)
    raise ManifestError(
        f"{path}: found {found}, expected id, title, design, licence and concepts; texts lie "
        "beside it"
    )


def _classes(declared: dict[str, Any], path: Path) -> dict[str, list[str]]:
    """Return the declared classes of each concept. Raises ManifestError."""
    concepts = declared.get("concepts")
    if isinstance(concepts, dict) and all(map(_is_class_list, concepts.items())):
        return concepts
    raise ManifestError(
        f"{path}: found concepts {brief(concepts)}; declare a list of classes for each concept"
    )


def _is_class_list(concept: tuple[Any, Any]) -> bool:
    """Return whether a concept has a name and a list of classes."""
    name, classes = concept
    return (
        isinstance(name, str)
        and isinstance(classes, list)
        and all(isinstance(each, str) for each in classes)
    )


def _read_probes(path: Path, classes: dict[str, list[str]]) -> Iterator[Probe]:
    """Yield the probes of a file. Raises ManifestError naming the line."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ManifestError(
                f"{path}: is larger than {_LARGEST >> 20} MiB, more than any set that can be "
                "measured"
            )
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ManifestError(f"{path}: cannot be read as UTF-8 text: {error}") from None
    for number, line in enumerate(lines, start=1):
        where = f"{path}:{number}"
        try:
            probe = Probe.model_validate_json(line)
        except ValidationError as error:
            raise ManifestError(
                f"{where}: {explain(error, Probe)}; each line is a JSON object with id, labels "
                "and text"
            ) from None
        _require_declared(probe, classes, where)
        if found := no_text(probe.text):
            raise ManifestError(
                f"{where}: probe {probe.id!r} holds {found}, which is no text; write it again, "
                "whole"
            )
        yield probe


def _require_declared(probe: Probe, classes: dict[str, list[str]], where: str) -> None:
    """Raise ManifestError unless a probe has the declared concepts, with declared classes."""
    if probe.labels.keys() != classes.keys():
        raise ManifestError(
            f"{where}: probe {probe.id!r} is labelled for {sorted(probe.labels)}; "
            f"expected exactly {sorted(classes)}, as concepts.yaml declares. Correct one of "
            "the two."
        )
    for concept, found in probe.labels.items():
        if found not in classes[concept]:
            raise ManifestError(
                f"{where}: probe {probe.id!r} has {concept} {found!r}; "
                f"expected one of {classes[concept]}. Correct the label or declare the class "
                "in concepts.yaml."
            )
