"""Name what step 0 of a run measures: the base model.

Equal inputs and surroundings give equal bits there. Before its first step an adapter adds exactly
nothing, so seed, texts, adapter and schedule change no number measured on probes (held by
tests/diagnose/test_step_zero.py, on a CPU). On a GPU untrained weights are multiplied by other
kernels than adapted ones, and nobody has compared the bits: there, runs lend only to runs with the
same kernels.
"""

from collections.abc import Iterable
from typing import Any, get_args

from repro.files import digest
from repro.manifest.experiment import Diagnostics, Entropies
from repro.manifest.model import Model
from repro.manifest.training import Condition, Training
from repro.plan.editions import Device
from repro.plan.environment import Environment
from repro.plan.named import inputs
from repro.plan.run import Run

_CAPTURED = ("layer", "pooling", "special_tokens", "scale")
"""Settings of the capture (docs/SCIENCE.md §2)."""
KERNELS = ("dequantise", "gradient_checkpointing", "lora", "adapter")
"""Fields that choose the kernels of a trained run."""


def base_of(
    model: Model,
    training: Training,
    diagnostics: Diagnostics,
    threads: int,
    device: Device,
    trained: bool,
) -> str:
    """Return the digest of what decides a base model's measurements.

    The probe set and the surroundings are not in it. `training`: the protocol with the
    condition's changes.
    """
    protocol, measured = inputs(training, "training"), inputs(diagnostics, "diagnostics")
    kernels: dict[str, Any] = {name: protocol.get(name) for name in KERNELS} if trained else {}
    return digest(
        {
            "model": inputs(model, "model"),
            "quantisation": protocol["quantisation"],
            "compute": protocol["compute"],
            "captured": {name: measured[name] for name in _CAPTURED},
            "threads": threads,
            "device": device,
            "kernels": kernels if device == "cuda" else {},
        }
    )


def base_of_run(run: Run) -> str | None:
    """Return the same digest for a run.

    None for one that starts from another's adapter, whose step 0 is no base model.
    """
    if run.parent is not None:
        return None
    device, trained = run.environment.device, run.steps > 0
    return base_of(run.model, run.training, run.diagnostics, run.threads, device, trained)


def base_runs(runs: Iterable[Run]) -> tuple[Run, ...]:
    """Return, for runs that start from a base model, those that measure only that: step 0, with
    nothing trained.

    Each is the same base model as its run's (`base_of_run`), so its numbers count wherever step 0
    does. What is not read on probes (held-out losses, entropies) is left out.
    """
    found: dict[str, Run] = {}
    for run in runs:
        if run.parent is None:
            base = _untrained(run)
            found.setdefault(base.id, base)
    return tuple(found.values())


def _untrained(run: Run) -> Run:
    """Return the run without its training."""
    also = tuple(name for name in run.diagnostics.also if name not in get_args(Entropies))
    changes = {
        "experiment": f"{run.experiment}_base",
        "condition_id": "base",
        "condition": Condition(title="base model"),
        "seed": None,
        "training": run.training.model_copy(update={"heldout": 0}),
        "diagnostics": run.diagnostics.model_copy(update={"also": also}),
        "domains": {},
        "csr_probe_hash": None,
    }
    # Built anew: a copy would keep the name that was computed for the trained run.
    return Run(**{**{name: getattr(run, name) for name in Run.model_fields}, **changes})


def surroundings(environment: Environment) -> str:
    """Return the digest of whatever in a run's environment can change a number."""
    return digest(
        {
            "edition": environment.edition.model_dump(),
            "packages": environment.other_packages,
            "machine": environment.machine,
            "texts": environment.texts,
        }
    )
