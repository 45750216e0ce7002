"""From a manifest to its runs: every arm multiplied out, every name resolved."""

import platform
from pathlib import Path

from repro.errors import ManifestError
from repro.files import file_digest
from repro.manifest.data import Source
from repro.manifest.experiment import Experiment
from repro.manifest.load import ROOT, load_models, load_sources
from repro.manifest.probes import ProbeSet, load_probe_set
from repro.plan.code import worker_code
from repro.plan.run import Run
from repro.plan.texts import edition


def expand(experiment: Experiment, environment: dict[str, str]) -> tuple[Run, ...]:
    """All runs of a manifest, in the manifest's order, each once. Raises ManifestError for a missing probe set."""
    models, own = load_models(), {key: Source(id=key, data=data) for key, data in experiment.sources.items()}
    sources = {**load_sources(), **own}
    probes = load_probe_set(experiment.probe_set)
    csr_hash = _csr_probes(experiment, probes)
    code = worker_code()
    runs: dict[str, Run] = {}
    for arm in experiment.arms:
        for model in arm.models:
            for name in arm.conditions:
                condition = experiment.conditions[name]
                used = sorted({domain for phase in condition.phases for domain in phase.mixture})
                for seed in arm.seeds if condition.steps else (None,):
                    run = Run(
                        experiment=experiment.id,
                        model=models[model],
                        condition_id=name,
                        condition=condition,
                        seed=seed,
                        training=experiment.training,
                        diagnostics=experiment.diagnostics,
                        domains={
                            domain: tuple(sources[source] for source in experiment.domains[domain])
                            for domain in (experiment.domains if experiment.training.heldout else used)
                        },
                        probe_set=probes.id,
                        probe_hash=probes.content_hash,
                        csr_probe_hash=csr_hash if condition.csr else None,
                        code=code,
                        environment=environment,
                    )
                    runs.setdefault(run.id, run)
    return tuple(runs.values())


def _csr_probes(experiment: Experiment, probes: ProbeSet) -> str | None:
    """Content hash of the probes that CSR holds. Raises ManifestError when none of them is of its target domain."""
    if not any(condition.csr for condition in experiment.conditions.values()):
        return None
    settings = experiment.training.csr
    held = load_probe_set(settings.probe_set) if settings.probe_set else probes
    domains = held.concepts.get("domain", ())
    if settings.target not in domains:
        raise ManifestError(
            f"manifest {experiment.id}: field training.csr.target: found {settings.target!r}, but probe set {held.id} has "
            f"the domains {', '.join(domains) or '(none)'}; name one of them or another probe_set"
        )
    return held.content_hash


def local_environment() -> dict[str, str]:
    """What a run on this machine's own interpreter depends on: the locked packages, Python and the processor type."""
    lock = ROOT / "requirements" / "cpu.lock"
    return {
        "image": "local",
        "lock": file_digest(lock)[:16] if Path(lock).is_file() else "none",
        "python": platform.python_version(),
        "machine": platform.machine(),
        "texts": edition(),
    }
