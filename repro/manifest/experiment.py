"""An experiment: which models under which conditions with which seeds, trained and measured how."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from repro.frozen import Frozen
from repro.manifest.data import Data
from repro.manifest.names import LONGEST, check_name
from repro.manifest.training import (
    MOST,
    MOST_SEQUENCES,
    MOST_STEPS,
    BlockDiagonal,
    Condition,
    Full,
    Lora,
    Training,
)

Further = Literal["interval", "nulls", "scale_sweep", "specification", "similarity", "crosstalk", "subspace"]
BuiltImage = Literal["cpu", "cuda"]
"""The images of docker/images.lock."""
Image = Literal["local", BuiltImage]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
MOST_RUNS = 2_000
"""Runs of one manifest at most: each has a folder, a line of the plan, and takes part in every question asked of it."""
MOST_MEASURED = 10_000
"""Steps of one run at which activations are measured, at most: each leaves files."""
LONGEST_CHAIN = 50
"""Runs that go on from one another, at most."""
Slug = r"^[a-z0-9][a-z0-9._-]*$"


class Window(Frozen):
    """A stretch of steps that is measured more closely."""

    start: int = Field(ge=0)
    stop: int = Field(le=MOST_STEPS)
    every: int = Field(gt=0, le=MOST)
    """Steps between diagnostics from `start` to `stop`, both measured."""

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.stop <= self.start:
            raise ValueError(f"a window from step {self.start} to {self.stop} is empty; let stop be the later step")
        return self

    def steps(self) -> set[int]:
        """The steps it adds."""
        return {*range(self.start, self.stop, self.every), self.stop}


class Diagnostics(Frozen):
    """When and how activations are measured (docs/SCIENCE.md §2)."""

    every: int = Field(500, gt=0, le=MOST)
    """Steps between diagnostics; step 0 and the last step are always measured."""
    window: Window | None = None
    """Where to measure more closely as well; None: nowhere."""
    layer: Literal["post_norm", "pre_norm"] = "post_norm"
    pooling: Literal["mean", "last_token"] = "mean"
    special_tokens: Literal["exclude", "include"] = "exclude"
    scale: Literal["none", "unit_rms", "standardise"] = "none"
    also: tuple[Further, ...] = ()
    """Diagnostics beyond the geometry itself, at every measured step (§5–8)."""


class Arm(Frozen):
    """Models × conditions × seeds; a manifest is the union of its arms."""

    models: tuple[str, ...] = Field(min_length=1)
    conditions: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[Seed, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        for name in ("models", "conditions", "seeds"):
            twice = sorted(str(item) for item, count in Counter(getattr(self, name)).items() if count > 1)
            if twice:
                shown = ", ".join(twice[:3]) + (f" and {len(twice) - 3} more" if len(twice) > 3 else "")
                raise ValueError(f"{name} {shown} given twice in one arm; name each once")
        return self


class Experiment(Frozen):
    """One manifest: everything a set of runs needs, and nothing about the machine it runs on."""

    id: str = Field(pattern=Slug, max_length=LONGEST)
    title: str
    about: str = ""
    """What it is for and what it can and cannot show."""
    twin_of: str | None = Field(None, pattern=Slug)
    """The full-size manifest it stands for on a small machine; None: it is one itself. What it measures judges no paper."""
    image: Image = "cuda"
    """The container image of docker/images.lock it is meant for; `local` where none is needed."""
    probe_set: str
    """Name of a set under probes/, or its folder."""
    also_probe_sets: tuple[str, ...] = ()
    """Further sets that the same checkpoints are measured on."""
    domains: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default={})
    """Sources behind each domain, in equal shares: names of datasets.yaml or of `sources`."""
    sources: dict[str, Data] = Field(default={})
    """Sources of this manifest's own, e.g. files beside it: {notes: {kind: file, path: notes.jsonl}}."""
    conditions: dict[str, Condition]
    training: Training = Training()
    diagnostics: Diagnostics = Diagnostics()
    arms: tuple[Arm, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_paths(self) -> Self:
        """Conditions, sources and domains name folders, files and columns; two names never mean one run."""
        for field in ("conditions", "sources", "domains"):
            for name in getattr(self, field):
                try:
                    check_name(name)
                except ValueError as error:
                    raise ValueError(f"{field}: {error}") from None
        seen: dict[str, str] = {}
        for name, condition in self.conditions.items():
            other = seen.setdefault(condition.model_dump_json(exclude={"title"}), name)
            if other != name:
                raise ValueError(
                    f"conditions {other} and {name} are the same but for their titles: one run would have two names; "
                    "drop one of them, or change what it trains"
                )
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        if len({self.probe_set, *self.also_probe_sets}) <= len(self.also_probe_sets):
            raise ValueError("a probe set is given twice in probe_set and also_probe_sets; name each once")
        for arm in self.arms:
            for name in arm.conditions:
                if name not in self.conditions:
                    known = ", ".join(self.conditions)
                    raise ValueError(f"an arm asks for condition {name!r}, but conditions has {known}; add it there")
        for name, condition in self.conditions.items():
            self._check_size(name)
            for phase in condition.phases:
                self._check_mixture(name, phase.mixture)
            self._check_penalty(name)
            self._check_chain(name)
        self._check_runs()
        return self

    def _check_runs(self) -> None:
        """Not more runs than can be planned, counted before any is made."""
        runs = sum(
            len(arm.models) * (len(arm.seeds) if self.conditions[name].steps else 1)
            for arm in self.arms
            for name in arm.conditions
        )
        if runs > MOST_RUNS:
            raise ValueError(
                f"the arms ask for {runs:,} runs, expected {MOST_RUNS:,} at most; divide them over several manifests"
            )

    def _check_size(self, name: str) -> None:
        """A run that can be planned and drawn: its sequences and its measured steps are bounded."""
        steps, diagnostics = self.conditions[name].steps, self.diagnostics
        sequences = steps * self.training.sequences_per_step
        if sequences > MOST_SEQUENCES:
            raise ValueError(
                f"condition {name} reads {sequences:,} sequences ({steps:,} steps of batch_size × accumulation), "
                f"expected {MOST_SEQUENCES:,} at most; lower one of them"
            )
        window = diagnostics.window
        closely = (window.stop - window.start) // window.every if window else 0
        measured = steps // diagnostics.every + (closely if steps else 0)
        if measured > MOST_MEASURED:
            raise ValueError(
                f"condition {name} is measured at {measured:,} steps, expected {MOST_MEASURED:,} at most; raise "
                "diagnostics.every"
            )

    def _check_penalty(self, name: str) -> None:
        """A penalty that is asked for is added at least once."""
        condition, every = self.conditions[name], self.training.csr.every
        if condition.csr and condition.steps < every:
            fix = f"lower training.csr.every to at most {condition.steps}" if condition.steps else "give it phases"
            raise ValueError(
                f"condition {name} has csr, whose penalty is due every {every}th step (training.csr.every), but only "
                f"{condition.steps} steps; {fix}, or drop its csr"
            )

    def _check_chain(self, name: str) -> None:
        """Every condition that goes on from another ends, in so many steps, at one that starts from the base model."""
        chain = [name]
        while (before := self.conditions[chain[-1]].continues) is not None:
            if before not in self.conditions or not self.conditions[before].steps:
                raise ValueError(self._cannot_continue(chain[-1], before))
            if before in chain:
                raise ValueError(
                    f"condition {name} continues itself by way of {' → '.join([*chain, before])}; "
                    "drop `continues` of one of them: it then starts from the base model"
                )
            self._check_adapters(chain[-1], before)
            chain.append(before)
            if len(chain) > LONGEST_CHAIN:
                raise ValueError(f"condition {name} continues {LONGEST_CHAIN} others one after another; use fewer")
        if len(chain) > 1 and not self.conditions[name].steps:
            raise ValueError(f"condition {name} continues {chain[1]} but trains nothing; give it phases")

    def _cannot_continue(self, name: str, before: str) -> str:
        """Why `name` cannot go on from `before`, and what it could do instead."""
        why = "which trains nothing" if before in self.conditions else "which is no condition of this manifest"
        others = ", ".join(each for each, condition in self.conditions.items() if condition.steps and each != name)
        instead = f", or name a trained condition: {others}" if others else ""
        return f"condition {name} continues {before!r}, {why}; drop `continues`: it then starts from the base model{instead}"

    def _check_adapters(self, name: str, before: str) -> None:
        """A condition goes on with the very adapter it starts from."""
        given, found = (self.training.under(self.conditions[each]).trained for each in (name, before))
        if given != found:
            ours, theirs = _words(given, found), _words(found, given)
            raise ValueError(
                f"condition {name} trains {ours} but continues {before}, which trains {theirs}; give both the same adapter"
            )

    def _check_mixture(self, condition: str, mixture: dict[str, float]) -> None:
        unknown = sorted(set(mixture) - set(self.domains))
        if unknown:
            known = ", ".join(self.domains) or "none"
            raise ValueError(
                f"condition {condition} mixes domain {unknown[0]!r}, but domains has {known}; add it there"
            )
        if any(share <= 0 for share in mixture.values()) or abs(sum(mixture.values()) - 1) > 1e-9:
            raise ValueError(f"condition {condition}: shares are {mixture}; make them positive with sum 1")


def _words(adapter: Lora | Full | BlockDiagonal, other: Lora | Full | BlockDiagonal) -> str:
    """An adapter in one line, for a message: all but its targets, or what sets it apart from one of the same kind."""
    fields, theirs = adapter.model_dump(exclude={"kind"}), other.model_dump()
    if adapter.kind == other.kind:
        fields = {name: value for name, value in fields.items() if value != theirs[name]}
    else:
        fields.pop("targets", None)
    words = ", ".join(f"{name} {' '.join(value) if name == 'targets' else value}" for name, value in fields.items())
    return f"{adapter.kind} ({words})" if words else adapter.kind
