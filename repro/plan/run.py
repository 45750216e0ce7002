"""Run: one model under one condition with one seed, named by its inputs and edition.

The name (`Run.id`) is a digest of `Run.key()`: docs/evidence.md says what is in it and why. The key
is stored beside the evidence, so that a run that is redone can say which field differs. It has a
version, so that a change in how keys are made is never mistaken for a changed run. No field of a
Run is in the key unless `key` puts it there.
"""

from functools import cached_property
from itertools import zip_longest
from typing import Any

from pydantic import Field

from repro.files import digest
from repro.frozen import Frozen
from repro.manifest.data import Source
from repro.manifest.experiment import Diagnostics
from repro.manifest.model import Model
from repro.manifest.training import Condition, Training
from repro.plan.environment import Environment
from repro.plan.named import as_json, inputs

KEY_VERSION = 3
ABSENT = "(absent)"
SHORT = 12
"""Digits of a run's name at the end of its folder's name."""
CONTEXT = 10
"""Characters shown before the position where two long values differ."""
UNTRAINED = ("lora", "adapter", "csr", "optimizer", "batch_size", "accumulation", "dequantise", "kernels", "loss_normalisation",
             "gradient_checkpointing", "checkpoint_every")  # fmt: skip
"""Training settings that a run without training never reads."""
UNREAD = ("tokens_per_forward", "packing", "max_length", "append_eos")
"""Further settings that it does not read when no held-out text is read either."""
INTERPRETER = frozenset(("standard_library", "python_topics"))
"""Kinds of texts that come from the interpreter."""


class Parent(Frozen):
    """The run whose trained adapter another run starts from."""

    id: str
    slot: str
    depth: int = 0
    """Number of runs that the parent itself continues."""

    @property
    def folder(self) -> str:
        """Return the name of its folder, beside that of the run that continues it."""
        return folder_name(self.slot, self.id)


class Run(Frozen):
    """Everything the worker needs, resolved: no name is left to look up."""

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
    """Further sets measured at every measured step: content hash by name."""
    probe_folders: dict[str, str] = Field(default={})
    """Where each set was found. The content decides a run's identity, not the place."""
    csr_probe_hash: str | None = None
    """Content hash of CSR's probes, for a condition with CSR."""
    threads: int = Field(gt=0)
    """CPU threads. Sums depend on how they are split, so the manifest fixes the number."""
    environment: Environment

    def key(self) -> dict[str, Any]:
        """Return the inputs that decide the numbers, and the edition they are computed by."""
        training, diagnostics = (
            inputs(self.training, "training"),
            inputs(self.diagnostics, "diagnostics"),
        )
        key: dict[str, Any] = {
            "key_version": KEY_VERSION,
            "model": inputs(self.model, "model"),
            "condition": inputs(self.condition, "condition"),
            "seed": self.seed,
            "parent": self.parent.id if self.parent else None,
            "training": {
                name: value for name, value in training.items() if name not in self._idle()
            },
            "diagnostics": {
                name: value for name, value in diagnostics.items() if name not in self._unmeasured()
            },
            "domains": as_json(self.domains, "domains"),
            "probe_hash": self.probe_hash,
            "also_probe_sets": self.also_probe_sets,
            "csr_probe_hash": self.csr_probe_hash,
            "threads": self.threads,
            "device": self.environment.device,
            "edition": self.environment.edition.model_dump(),
        }
        # Vector instructions of CPUs round differently: the type is an input there.
        if self.environment.device == "cpu":
            key["processor"] = self.environment.machine
        if self.reads_interpreter:
            key["texts"] = self.environment.texts
        if self.environment.other_packages:
            key["packages"] = self.environment.other_packages
        return key

    def described(self) -> dict[str, Any]:
        """Return the key with the names of its parts, for readers.

        These names are not part of a run's name.
        """
        key = self.key()
        return {**key, "model": {"id": self.model.id, **key["model"]}, "probe_set": self.probe_set}

    def _idle(self) -> tuple[str, ...]:
        """Return the training settings that this run never reads."""
        if not self.steps:
            return UNTRAINED if self.training.heldout else (*UNTRAINED, *UNREAD)
        plain_lora = self.training.adapter is None
        return *(() if self.condition.csr else ("csr",)), *(() if plain_lora else ("lora",))

    def _unmeasured(self) -> tuple[str, ...]:
        """Return the settings of when to measure, which a run without training never reads."""
        return () if self.steps else ("every", "window")

    @property
    def reads_interpreter(self) -> bool:
        """Return whether the interpreter's texts are among its inputs.

        The tokenizer of random weights is made from them.
        """
        kinds = {source.data.kind for sources in self.domains.values() for source in sources}
        return self.model.weights.kind == "random" or bool(kinds & INTERPRETER)

    @cached_property
    def id(self) -> str:
        """Return the sha256 of the key."""
        return digest(self.key())

    @property
    def draw_seed(self) -> int:
        """Return the seed for texts and dropout. A continuation gets one of its own.

        With its parent's seed it would read the same texts again, from the first, under the
        same dropout.
        """
        seed = self.seed or 0
        return seed if self.parent is None else int(digest([seed, self.parent.depth + 1])[:12], 16)

    @property
    def slot(self) -> str:
        """Return the run's name for readers. A changed run has the same slot and another id."""
        seed = "" if self.seed is None else f"-s{self.seed}"
        return f"{self.model.id}-{self.condition_id}{seed}"

    @property
    def folder(self) -> str:
        """Return the name of its folder below the experiment's."""
        return folder_name(self.slot, self.id)

    def probe_file(self, probe_set: str) -> str:
        """Return the name of the file with a probe set's texts in the run's folder."""
        return "probes.json" if probe_set == self.probe_set else f"{probe_set}.probes.json"

    @property
    def steps(self) -> int:
        """Return the total number of optimizer steps."""
        return self.condition.steps

    def measured_steps(self) -> list[int]:
        """Return the steps at which activations are measured.

        These are 0, every so many steps, more often inside a window, and the last.
        """
        window = self.diagnostics.window
        closely = window.steps() if window else set()
        regular = {*range(0, self.steps + 1, self.diagnostics.every), self.steps}
        return sorted(regular | {step for step in closely if step <= self.steps})


def folder_name(slot: str, identity: str) -> str:
    """Return the name of a run's folder: its slot and the first digits of its name."""
    return f"{slot}-{identity[:SHORT]}"


def differences(old: Any, new: Any, path: str = "") -> list[str]:
    """Return the fields in which two keys differ, as `path: old → new`.

    List items are named by index. For keys of two versions only the version is returned.
    """
    if not path and isinstance(old, dict) and isinstance(new, dict):
        versions = {"key_version": old.get("key_version")}, {"key_version": new.get("key_version")}
        old, new = versions if versions[0] != versions[1] else (old, new)
    if isinstance(old, dict) and isinstance(new, dict):
        pairs = {
            name: (old.get(name, ABSENT), new.get(name, ABSENT))
            for name in sorted(set(old) | set(new))
        }
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple):
        pairs = {
            str(index): pair for index, pair in enumerate(zip_longest(old, new, fillvalue=ABSENT))
        }
    else:
        return [] if old == new else [f"{path}: {' → '.join(_short(old, new))}"]
    return [
        line
        for name, (before, after) in pairs.items()
        for line in differences(before, after, f"{path}.{name}" if path else name)
    ]


def _short(old: Any, new: Any) -> list[str]:
    """Return two values in few words.

    They start at the beginning; if those are equal, shortly before the values differ.
    """
    texts = [str(old), str(new)]
    if texts[0] == texts[1]:
        texts = [repr(old), repr(new)]
    if _cut(texts[0]) != _cut(texts[1]):
        return [_cut(text) for text in texts]
    apart = next((index for index, pair in enumerate(zip_longest(*texts)) if pair[0] != pair[1]), 0)
    return [_cut(f"…{text[max(apart - CONTEXT, 0) :]}") for text in texts]


def _cut(text: str) -> str:
    """Return a text cut to 40 characters."""
    return text if len(text) <= 40 else text[:37] + "…"
