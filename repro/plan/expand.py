"""Expand a manifest into its runs: every arm multiplied out, every name resolved."""

from collections.abc import Callable
from typing import TypeVar

from repro.errors import ManifestError
from repro.manifest.data import Source
from repro.manifest.experiment import Experiment
from repro.manifest.load import load_models, load_sources
from repro.manifest.model import Model
from repro.manifest.probes import declared, load_probe_set, probe_folder
from repro.manifest.training import Condition, Training
from repro.plan.environment import Environment, local_environment
from repro.plan.run import Parent, Run

Probes = TypeVar("Probes")


def expand(experiment: Experiment, environment: Environment) -> tuple[Run, ...]:
    """Return all runs of a manifest, each once, in the manifest's order.

    A parent comes before its continuation. Raises ManifestError for a missing probe set, and
    for an adapter with targets or a rank that a model cannot have.
    """
    planner = _Planner(experiment, environment)
    runs: dict[str, Run] = {}
    for arm in experiment.arms:
        for model in arm.models:
            for name in arm.conditions:
                for seed in arm.seeds if experiment.conditions[name].steps else (None,):
                    for run in planner.chain(model, name, seed):
                        runs.setdefault(run.id, run)
    return tuple(runs.values())


class _Planner:
    """The inputs that the runs of one manifest share."""

    def __init__(self, experiment: Experiment, environment: Environment) -> None:
        own = {key: Source(id=key, data=data) for key, data in experiment.sources.items()}
        self._experiment, self._environment = experiment, environment
        self._models, self._sources = load_models(), {**load_sources(), **own}
        fields = {"probe_set": experiment.probe_set}
        fields |= {
            f"also_probe_sets.{index}": name
            for index, name in enumerate(experiment.also_probe_sets)
        }
        named = {name: _named(experiment, field, name, declared) for field, name in fields.items()}
        self._probes, *self._others = named.values()
        self._folders = {probes.id: str(probe_folder(name)) for name, probes in named.items()}
        self._csr_hash = _csr_probes(experiment)

    def chain(self, model: str, name: str, seed: int | None) -> list[Run]:
        """Return the run, after every run it continues."""
        condition = self._experiment.conditions[name]
        before = self.chain(model, condition.continues, seed) if condition.continues else []
        parent = (
            Parent(id=before[-1].id, slot=before[-1].slot, depth=len(before) - 1)
            if before
            else None
        )
        return [*before, self._run(model, name, seed, parent)]

    def _run(self, model: str, name: str, seed: int | None, parent: Parent | None) -> Run:
        """Return one run. Raises ManifestError for an adapter that the model cannot have."""
        experiment, condition = self._experiment, self._experiment.conditions[name]
        training = experiment.training.under(condition)
        if condition.steps:
            where = f"manifest {experiment.id}: "
            given = f"conditions.{name}.adapter" if condition.adapter else "training.lora"
            _check_targets(f"{where}field {given}.targets", self._models[model], training)
            _check_rank(f"{where}condition {name}", self._models[model], training)
        return Run(
            experiment=experiment.id,
            model=self._models[model],
            condition_id=name,
            condition=condition,
            seed=seed,
            parent=parent,
            training=training,
            diagnostics=experiment.diagnostics,
            domains=self._domains(condition),
            probe_set=self._probes.id,
            probe_hash=self._probes.content_hash,
            also_probe_sets={probes.id: probes.content_hash for probes in self._others},
            probe_folders=self._folders,
            csr_probe_hash=self._csr_hash if condition.csr else None,
            threads=experiment.threads,
            environment=self._environment,
        )

    def _domains(self, condition: Condition) -> dict[str, tuple[Source, ...]]:
        """Return the domains a run reads.

        These are the ones it trains on, or all where held-out losses are measured.
        """
        used = sorted({domain for phase in condition.phases for domain in phase.mixture})
        return {
            domain: tuple(self._sources[source] for source in self._experiment.domains[domain])
            for domain in (self._experiment.domains if self._experiment.training.heldout else used)
        }


def _named(experiment: Experiment, field: str, name: str, read: Callable[[str], Probes]) -> Probes:
    """Return the probe set a field names. Raises ManifestError with the manifest and the field."""
    try:
        return read(name)
    except ManifestError as error:
        raise ManifestError(f"manifest {experiment.id}: field {field}: {error}") from None


def _check_targets(where: str, model: Model, training: Training) -> None:
    """Raise ManifestError for a target module that the model does not have."""
    adapter, there = training.trained, model.architecture.linear_sizes
    absent = [name for name in adapter.ranks if name not in there]
    if absent:
        raise ManifestError(
            f"{where}: found {', '.join(absent)}, which no block of {model.id} has; name "
            "some of its linear modules: "
            f"{', '.join(there)}"
        )


def _check_rank(where: str, model: Model, training: Training) -> None:
    """Raise ManifestError for a rank larger than the narrowest adapted module."""
    adapter, limit = training.trained, model.architecture.narrowest(training.trained.ranks)
    if limit and adapter.rank > limit[1]:
        raise ManifestError(
            f"{where}: found rank {adapter.rank}, but {limit[0]} of {model.id} is only "
            f"{limit[1]} wide; give a rank of at "
            f"most {limit[1]}"
        )


def _csr_probes(experiment: Experiment) -> str | None:
    """Return the content hash of CSR's probes; None without CSR.

    Raises ManifestError when none of them is of its target domain.
    """
    if not any(condition.csr for condition in experiment.conditions.values()):
        return None
    settings = experiment.training.csr
    field = "training.csr.probe_set" if settings.probe_set else "probe_set"
    held = _named(experiment, field, settings.probe_set or experiment.probe_set, load_probe_set)
    domains = held.concepts.get("domain", ())
    if settings.target not in domains:
        raise ManifestError(
            f"manifest {experiment.id}: field training.csr.target: found "
            f"{settings.target!r}, but probe set {held.id} has "
            f"the domains {', '.join(domains) or '(none)'}; name one of them or another probe_set"
        )
    return held.content_hash


__all__ = ["expand", "local_environment"]
