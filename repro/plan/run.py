"""Run: one model under one condition with one seed, named by the content of everything that can change its numbers.

The name (`Run.id`) is a digest of `Run.key()`. The key is stored beside the evidence, so that a run that is redone can
say which field differs; it has a version, so that a change in how keys are made is never mistaken for a changed run.
"""

from functools import cached_property
from itertools import zip_longest
from typing import Any

from pydantic import Field

from repro.files import digest
from repro.frozen import Frozen
from repro.manifest.data import Source, identity
from repro.manifest.experiment import Diagnostics
from repro.manifest.model import Model
from repro.manifest.training import Condition, Training

KEY_VERSION = 2
ABSENT = "(absent)"
CONTEXT = 10
"""Characters shown before the place where two long values differ."""


class Parent(Frozen):
    """The run whose trained adapter another run starts from."""

    id: str
    slot: str
    depth: int = 0
    """How many runs it goes on from itself."""

    @property
    def folder(self) -> str:
        """Name of its folder, beside that of the run that continues it."""
        return _folder(self.slot, self.id)


class Run(Frozen):
    """Everything the worker needs to know, resolved: no name is left to look up."""

    experiment: str
    model: Model
    condition_id: str
    condition: Condition
    seed: int | None
    """None for a condition that trains nothing: no number in it is random."""
    parent: Parent | None = None
    """None for a run that starts from the base model."""
    training: Training
    diagnostics: Diagnostics
    domains: dict[str, tuple[Source, ...]]
    probe_set: str
    probe_hash: str
    also_probe_sets: dict[str, str] = Field(default={})
    """Further sets that every measured step is measured on: content hash by name."""
    probe_folders: dict[str, str] = Field(default={})
    """Where each set was found; the content decides a run's identity, not the place."""
    csr_probe_hash: str | None = None
    """Of the probes that CSR holds, for a condition with CSR."""
    code: dict[str, str]
    """Digest of each source module the worker can reach, without docstrings and comments."""
    environment: dict[str, str]
    """What the numbers are computed with: image, lock file, interpreter, processor type."""

    def key(self) -> dict[str, Any]:
        """The inputs that decide the numbers. Titles, the manifest's name, where files lie and idle settings do not."""
        content = self.model_dump(mode="json", exclude={"experiment": True, "condition_id": True})
        content["model"].pop("title")
        content["condition"].pop("title")
        content["condition"].pop("adapter")  # resolved in training
        content.pop("probe_folders")
        content["condition"].pop("continues")  # a name; what it stands for is the parent
        for setting in self._idle():
            content["training"].pop(setting)
        content["parent"] = self.parent.id if self.parent else None
        content["domains"] = {
            name: [identity(source) for source in sources] for name, sources in content["domains"].items()
        }
        return {"key_version": KEY_VERSION, **content}

    def _idle(self) -> list[str]:
        """Settings of the protocol that this run never reads."""
        plain = self.steps and self.training.adapter is None
        return [*(() if self.condition.csr else ("csr",)), *(() if plain else ("lora",))]

    @cached_property
    def id(self) -> str:
        """sha256 of the key."""
        return digest(self.key())

    @property
    def draw_seed(self) -> int:
        """What texts and dropout are drawn from: the seed. A run that goes on from another draws an order of its own.

        With the seed alone it would read its parent's texts again, from the first, and take its parent's dropout.
        """
        seed = self.seed or 0
        return seed if self.parent is None else int(digest([seed, self.parent.depth + 1])[:12], 16)

    @property
    def slot(self) -> str:
        """What a reader calls the run; a changed run has the same slot and another id."""
        seed = "" if self.seed is None else f"-s{self.seed}"
        return f"{self.model.id}-{self.condition_id}{seed}"

    @property
    def folder(self) -> str:
        """Name of its folder below the experiment's."""
        return _folder(self.slot, self.id)

    def probe_file(self, probe_set: str) -> str:
        """The file of a set's texts in the run's folder."""
        return "probes.json" if probe_set == self.probe_set else f"{probe_set}.probes.json"

    @property
    def steps(self) -> int:
        """Optimizer steps in all."""
        return self.condition.steps

    def measured_steps(self) -> list[int]:
        """Steps at which activations are measured: 0, every so often, more closely in a window, and the last."""
        window = self.diagnostics.window
        closely = window.steps() if window else set()
        regular = {*range(0, self.steps + 1, self.diagnostics.every), self.steps}
        return sorted(regular | {step for step in closely if step <= self.steps})


def _folder(slot: str, identity: str) -> str:
    return f"{slot}-{identity[:12]}"


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """The fields in which two keys differ, as `path: old → new`; items of lists are named by their index."""
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = {name: (old.get(name, ABSENT), new.get(name, ABSENT)) for name in sorted(set(old) | set(new))}
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple):
        pairs = {str(index): pair for index, pair in enumerate(zip_longest(old, new, fillvalue=ABSENT))}
    else:
        return [] if old == new else [f"{path}: {' → '.join(_short(old, new))}"]
    return [
        line
        for name, (before, after) in pairs.items()
        for line in differences(before, after, f"{path}.{name}" if path else name)
    ]


def _short(old: Any, new: Any) -> list[str]:
    """Two values in few words, from the start; or, where they begin alike, from shortly before they differ."""
    texts = [str(old), str(new)]
    if texts[0] == texts[1]:
        texts = [repr(old), repr(new)]
    if _cut(texts[0]) != _cut(texts[1]):
        return [_cut(text) for text in texts]
    apart = next((index for index, pair in enumerate(zip_longest(*texts)) if pair[0] != pair[1]), 0)
    return [_cut(f"…{text[max(apart - CONTEXT, 0) :]}") for text in texts]


def _cut(text: str) -> str:
    return text if len(text) <= 40 else text[:37] + "…"
