"""From a manifest to its runs: every arm multiplied out, every name resolved."""

import platform
from collections.abc import Callable
from typing import TypeVar

from repro.errors import ManifestError
from repro.files import file_digest
from repro.manifest.data import Source
from repro.manifest.experiment import Experiment
from repro.manifest.load import load_models, load_sources
from repro.manifest.model import Model
from repro.manifest.probes import declared, load_probe_set, probe_folder
from repro.manifest.training import Condition, Full, Lora, Training
from repro.plan.code import worker_code
from repro.plan.memory import linear_sizes, rank_limit
from repro.plan.run import Parent, Run
from repro.plan.texts import edition
from repro.shipped import lock_in_use

Probes = TypeVar("Probes")


def expand(experiment: Experiment, environment: dict[str, str]) -> tuple[Run, ...]:
    """All runs of a manifest, in the manifest's order, each once; one that another continues comes before it.

    Raises ManifestError for a missing probe set, and for an adapter with targets or a rank that a model has no room for.
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
    """What the runs of one manifest share."""

    def __init__(self, experiment: Experiment, environment: dict[str, str]) -> None:
        own = {key: Source(id=key, data=data) for key, data in experiment.sources.items()}
        self._experiment, self._environment = experiment, environment
        self._models, self._sources = load_models(), {**load_sources(), **own}
        fields = {"probe_set": experiment.probe_set}
        fields |= {f"also_probe_sets.{index}": name for index, name in enumerate(experiment.also_probe_sets)}
        named = {name: _named(experiment, field, name, declared) for field, name in fields.items()}
        self._probes, *self._others = named.values()
        self._folders = {probes.id: str(probe_folder(name)) for name, probes in named.items()}
        self._csr_hash = _csr_probes(experiment)
        self._code = worker_code()

    def chain(self, model: str, name: str, seed: int | None) -> list[Run]:
        """The run, after every run it goes on from."""
        condition = self._experiment.conditions[name]
        before = self.chain(model, condition.continues, seed) if condition.continues else []
        parent = Parent(id=before[-1].id, slot=before[-1].slot, depth=len(before) - 1) if before else None
        return [*before, self._run(model, name, seed, parent)]

    def _run(self, model: str, name: str, seed: int | None, parent: Parent | None) -> Run:
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
            code=self._code,
            environment=self._environment,
        )

    def _domains(self, condition: Condition) -> dict[str, tuple[Source, ...]]:
        """The domains a run reads: those it trains on, or all of them where losses on held-out texts are measured."""
        used = sorted({domain for phase in condition.phases for domain in phase.mixture})
        return {
            domain: tuple(self._sources[source] for source in self._experiment.domains[domain])
            for domain in (self._experiment.domains if self._experiment.training.heldout else used)
        }


def _named(experiment: Experiment, field: str, name: str, read: Callable[[str], Probes]) -> Probes:
    """The probe set that a field names. Raises ManifestError with the manifest and the field."""
    try:
        return read(name)
    except ManifestError as error:
        raise ManifestError(f"manifest {experiment.id}: field {field}: {error}") from None


def _check_targets(where: str, model: Model, training: Training) -> None:
    adapter, there = training.trained, linear_sizes(model.architecture)
    absent = [name for name in adapter.targets if name not in there] if isinstance(adapter, Lora) else []
    if absent:
        raise ManifestError(
            f"{where}: found {', '.join(absent)}, which no block of {model.id} has; name some of its linear modules: "
            f"{', '.join(there)}"
        )


def _check_rank(where: str, model: Model, training: Training) -> None:
    adapter, limit = training.trained, rank_limit(model.architecture, training)
    if not isinstance(adapter, Full) and limit and adapter.rank > limit[1]:
        raise ManifestError(
            f"{where}: found rank {adapter.rank}, but {limit[0]} of {model.id} is only {limit[1]} wide; give a rank of at "
            f"most {limit[1]}"
        )


def _csr_probes(experiment: Experiment) -> str | None:
    """Content hash of the probes that CSR holds. Raises ManifestError when none of them is of its target domain."""
    if not any(condition.csr for condition in experiment.conditions.values()):
        return None
    settings = experiment.training.csr
    field = "training.csr.probe_set" if settings.probe_set else "probe_set"
    held = _named(experiment, field, settings.probe_set or experiment.probe_set, load_probe_set)
    domains = held.concepts.get("domain", ())
    if settings.target not in domains:
        raise ManifestError(
            f"manifest {experiment.id}: field training.csr.target: found {settings.target!r}, but probe set {held.id} has "
            f"the domains {', '.join(domains) or '(none)'}; name one of them or another probe_set"
        )
    return held.content_hash


def local_environment() -> dict[str, str]:
    """What a run on this machine's own interpreter depends on: the locked packages, Python and the processor type."""
    lock = lock_in_use()
    return {
        "image": "local",
        "lock": file_digest(lock)[:16] if lock.is_file() else "none",
        "python": platform.python_version(),
        "machine": platform.machine(),
        "texts": edition(),
    }
