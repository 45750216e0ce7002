"""An experiment: models, conditions and seeds, and how they are trained and measured."""

from collections import Counter
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from repro.frozen import Frozen
from repro.manifest.adapters import MOST, Adapter
from repro.manifest.data import Data
from repro.manifest.evaluation import Evaluation
from repro.manifest.names import LONGEST, check_name
from repro.manifest.training import MOST_SEQUENCES, MOST_STEPS, Condition, Training

Further = Literal[
    "interval", "nulls", "scale_sweep", "specification", "similarity", "crosstalk", "subspace"
]
Entropies = Literal["update_entropy", "attention_entropy"]
"""Diagnostics of the model itself, not of its activations of the probes (§12)."""
BuiltImage = Literal["cpu", "cuda"]
"""The images of docker/images.lock."""
Image = Literal["local", BuiltImage]
Seed = Annotated[int, Field(strict=True, ge=0, lt=2**63)]
MOST_RUNS = 2_000
"""Most runs of one manifest.

Each has a folder, a line of the plan, and takes part in every query.
"""
MOST_MEASURED = 10_000
"""Most steps of one run at which activations are measured. Each leaves files."""
LONGEST_CHAIN = 50
"""Most runs in a chain of continued runs."""
Slug = r"^[a-z0-9][a-z0-9._-]*$"


class Window(Frozen):
    """A stretch of steps that is measured more closely."""

    start: int = Field(ge=0)
    stop: int = Field(le=MOST_STEPS)
    every: int = Field(gt=0, le=MOST)
    """Steps between diagnostics from `start` to `stop`, both measured."""

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        """Require the end to be after the start."""
        if self.stop <= self.start:
            raise ValueError(
                f"a window from step {self.start} to {self.stop} is empty; let stop be the later "
                "step"
            )
        return self

    def steps(self) -> set[int]:
        """Return the steps it adds."""
        return {*range(self.start, self.stop, self.every), self.stop}


class Attention(Frozen):
    """On which texts `attention_entropy` reads attention matrices: held-out ones, one after
    another, in windows (§12).
    """

    lengths: tuple[Annotated[int, Field(ge=4, le=1 << 17)], ...] = (16, 32, 64, 128, 256)
    """Tokens: powers of two, rising. A window has the last of them, and the others are its
    beginnings.
    """
    windows: int = Field(2, gt=0, le=MOST)
    """Windows of each domain."""

    @model_validator(mode="after")
    def _rise_by_powers_of_two(self) -> Self:
        if len(self.lengths) < 3 or list(self.lengths) != sorted(set(self.lengths)):
            raise ValueError(
                f"lengths are {list(self.lengths)}; give three or more, each once, rising"
            )
        if odd := [length for length in self.lengths if length & (length - 1)]:
            raise ValueError(f"lengths hold {odd[0]}, which is no power of two; give powers of two")
        return self


class Diagnostics(Frozen):
    """When and how activations are measured (docs/SCIENCE.md §2)."""

    every: int = Field(500, gt=0, le=MOST)
    """Steps between diagnostics; step 0 and the last step are always measured."""
    window: Window | None = None
    """Where to measure more often; None: nowhere."""
    layer: Literal["post_norm", "pre_norm"] = "post_norm"
    pooling: Literal["mean", "last_token"] = "mean"
    special_tokens: Literal["exclude", "include"] = "exclude"
    scale: Literal["none", "unit_rms", "standardise"] = "none"
    also: tuple[Further | Entropies, ...] = ()
    """Diagnostics beyond the geometry itself, at every measured step (§5–8, §12)."""
    attention: Attention = Attention()


class Arm(Frozen):
    """Models × conditions × seeds; a manifest is the union of its arms."""

    models: tuple[str, ...] = Field(min_length=1)
    conditions: tuple[str, ...] = Field(min_length=1)
    seeds: tuple[Seed, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _nothing_twice(self) -> Self:
        """Require every name and seed to be listed once."""
        for name in ("models", "conditions", "seeds"):
            twice = sorted(
                str(item) for item, count in Counter(getattr(self, name)).items() if count > 1
            )
            if twice:
                shown = ", ".join(twice[:3]) + (
                    f" and {len(twice) - 3} more" if len(twice) > 3 else ""
                )
                raise ValueError(f"{name} {shown} given twice in one arm; name each once")
        return self


class Experiment(Frozen):
    """One manifest: everything that a set of runs needs, and nothing about the machine."""

    id: str = Field(pattern=Slug, max_length=LONGEST)
    title: str
    about: str = ""
    """Its purpose, and what it can and cannot show."""
    twin_of: str | None = Field(None, pattern=Slug)
    """The full-size manifest it replaces on a small machine; None: it is full-size.

    A twin's measurements judge no paper.
    """
    image: Image = "cuda"
    """The container image from docker/images.lock it is meant for; `local` for none."""
    threads: int = Field(1, strict=True, gt=0, le=1024)
    """CPU threads of each run, on any machine.

    Sums depend on how they are split, so another number is another run.
    """
    probe_set: str
    """Name of a set under probes/, or a set's folder."""
    also_probe_sets: tuple[str, ...] = ()
    """Further sets on which the same checkpoints are measured."""
    domains: dict[str, Annotated[tuple[str, ...], Field(min_length=1)]] = Field(default={})
    """Sources behind each domain, in equal shares: names of datasets.yaml or of `sources`."""
    sources: dict[str, Data] = Field(default={})
    """This manifest's own sources, e.g. files beside it: {notes: {kind: file, path:
    notes.jsonl}}.
    """
    conditions: dict[str, Condition]
    training: Training = Training()
    diagnostics: Diagnostics = Diagnostics()
    evaluation: Evaluation | None = None
    """Benchmarks on which finished runs are evaluated. They are in no run's name."""
    arms: tuple[Arm, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _names_are_paths(self) -> Self:
        """Require names that can be paths and columns, and conditions that are all different."""
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
                    f"conditions {other} and {name} are the same but for their titles: one "
                    "run would have two names; "
                    "drop one of them, or change what it trains"
                )
        return self

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        """Require that every name in use is declared, and that sizes are within bounds."""
        if len({self.probe_set, *self.also_probe_sets}) <= len(self.also_probe_sets):
            raise ValueError(
                "a probe set is given twice in probe_set and also_probe_sets; name each once"
            )
        for arm in self.arms:
            for name in arm.conditions:
                if name not in self.conditions:
                    known = ", ".join(self.conditions)
                    raise ValueError(
                        f"an arm asks for condition {name!r}, but conditions has {known}; add it "
                        "there"
                    )
        for name, condition in self.conditions.items():
            self._check_size(name)
            for phase in condition.phases:
                self._check_mixture(name, phase.mixture)
            self._check_penalty(name)
            self._check_chain(name)
        self._check_runs()
        self._check_attention()
        return self

    def _check_attention(self) -> None:
        """Attention is read on held-out texts: there have to be some."""
        if "attention_entropy" in self.diagnostics.also and not (
            self.domains and self.training.heldout
        ):
            raise ValueError(
                "diagnostics.also has attention_entropy, which reads held-out texts of the "
                "domains, and there are none; "
                "give domains, and set training.heldout"
            )

    def _check_runs(self) -> None:
        """Raise ValueError for more runs than can be planned, counted before any is made."""
        runs = sum(
            len(arm.models) * (len(arm.seeds) if self.conditions[name].steps else 1)
            for arm in self.arms
            for name in arm.conditions
        )
        if runs > MOST_RUNS:
            raise ValueError(
                f"the arms ask for {runs:,} runs, expected {MOST_RUNS:,} at most; divide "
                "them over several manifests"
            )

    def _check_size(self, name: str) -> None:
        """Raise ValueError for a run with too many sequences or measured steps."""
        steps, diagnostics = self.conditions[name].steps, self.diagnostics
        sequences = steps * self.training.sequences_per_step
        if sequences > MOST_SEQUENCES:
            raise ValueError(
                f"condition {name} reads {sequences:,} sequences ({steps:,} steps of "
                "batch_size × accumulation), "
                f"expected {MOST_SEQUENCES:,} at most; lower one of them"
            )
        window = diagnostics.window
        closely = (window.stop - window.start) // window.every if window else 0
        measured = steps // diagnostics.every + (closely if steps else 0)
        if measured > MOST_MEASURED:
            raise ValueError(
                f"condition {name} is measured at {measured:,} steps, expected "
                f"{MOST_MEASURED:,} at most; raise "
                "diagnostics.every"
            )

    def _check_penalty(self, name: str) -> None:
        """Raise ValueError for a penalty that would never be added."""
        condition, every = self.conditions[name], self.training.csr.every
        if condition.csr and condition.steps < every:
            fix = (
                f"lower training.csr.every to at most {condition.steps}"
                if condition.steps
                else "give it phases"
            )
            raise ValueError(
                f"condition {name} has csr, whose penalty is due every {every}th step "
                "(training.csr.every), but only "
                f"{condition.steps} steps; {fix}, or drop its csr"
            )

    def _check_chain(self, name: str) -> None:
        """Raise ValueError unless a chain ends at a condition that starts from the base model."""
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
                raise ValueError(
                    f"condition {name} continues {LONGEST_CHAIN} others one after another; use at "
                    f"most {LONGEST_CHAIN - 1}"
                )
        if len(chain) > 1 and not self.conditions[name].steps:
            raise ValueError(
                f"condition {name} continues {chain[1]} but trains nothing; give it phases"
            )

    def _cannot_continue(self, name: str, before: str) -> str:
        """Return why `name` cannot continue `before`, and what it could do instead."""
        why = (
            "which trains nothing"
            if before in self.conditions
            else "which is no condition of this manifest"
        )
        others = ", ".join(
            each for each, condition in self.conditions.items() if condition.steps and each != name
        )
        instead = f", or name a trained condition: {others}" if others else ""
        return (
            f"condition {name} continues {before!r}, {why}; drop `continues`: it then starts "
            f"from the base model{instead}"
        )

    def _check_adapters(self, name: str, before: str) -> None:
        """Raise ValueError unless a condition has the adapter of the one it continues."""
        given, found = (
            self.training.under(self.conditions[each]).trained for each in (name, before)
        )
        if given != found:
            ours, theirs = _words(given, found), _words(found, given)
            raise ValueError(
                f"condition {name} trains {ours} but continues {before}, which trains "
                f"{theirs}; give both the same adapter"
            )

    def _check_mixture(self, condition: str, mixture: dict[str, float]) -> None:
        """Raise ValueError for an unknown domain, or shares that are not positive with sum 1."""
        unknown = sorted(set(mixture) - set(self.domains))
        if unknown:
            known = ", ".join(self.domains) or "none"
            raise ValueError(
                f"condition {condition} mixes domain {unknown[0]!r}, but domains has "
                f"{known}; add it there"
            )
        if any(share <= 0 for share in mixture.values()) or abs(sum(mixture.values()) - 1) > 1e-9:
            raise ValueError(
                f"condition {condition}: shares are {mixture}; make them positive with sum 1"
            )


def _words(adapter: Adapter, other: Adapter) -> str:
    """Return an adapter in one line, for a message.

    Against one of the same kind only the differing fields; else all but its targets.
    """
    fields, theirs = adapter.model_dump(exclude={"kind"}), other.model_dump()
    if adapter.kind == other.kind:
        fields = {name: value for name, value in fields.items() if value != theirs[name]}
    else:
        fields.pop("targets", None)
    words = ", ".join(
        f"{name} {' '.join(value) if name == 'targets' else value}"
        for name, value in fields.items()
    )
    return f"{adapter.kind} ({words})" if words else adapter.kind
