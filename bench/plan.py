"""Compare the plan's estimates with real runs at three sizes.

Memory must be within 15 %, CPU time within a factor of two. Each size is one short run of the
laptop's protocol by the worker, like any run; its usage.json records what it took. CPU time is
compared, not wall time: other work on the machine changes it less.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from repro.cost.hours import run_hours
from repro.cost.profiles import core
from repro.cost.space import gibibytes
from repro.execute.folders import cache_folder
from repro.files import GIB
from repro.manifest.load import load_experiment
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run

SIZES = {"tiny-qwen2": (8, 32), "smollm2-135m": (3, 64), "qwen2.5-coder-0.5b-instruct": (2, 64)}
"""Model → optimizer steps, rank of LoRA (at most the narrowest layer)."""
MEMORY, TIME = 0.15, 2.0


def rows() -> list[dict[str, Any]]:
    """Return estimate over measurement, for memory and for CPU time."""
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for model, (steps, rank) in SIZES.items():
            run, usage = carried_out(model, steps, rank, Path(scratch))
            found += compared(run, usage)
    return found


def compared(run: Run, usage: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the two figures of one run."""
    needed, held = gibibytes(run), usage["peak_memory_bytes"] / GIB
    used, took = run_hours(run, core(cache_folder())), usage["processor_seconds"]
    told = 3600 * (used.low * used.high) ** 0.5
    trained = usage["training_processor_seconds"]
    memory, time = needed / held, told / took
    return [
        {
            "name": f"{run.model.id}: planned / held memory",
            "value": memory,
            "unit": "×",
            "bar": f"1 ± {MEMORY:g}",
            "holds": abs(memory - 1) <= MEMORY,
            "note": f"{needed:.2f} and {held:.2f} GiB",
        },
        {
            "name": f"{run.model.id}: planned / used processor time",
            "value": time,
            "unit": "×",
            "bar": f"{1 / TIME:g} to {TIME:g}",
            "holds": 1 / TIME <= time <= TIME,
            "note": f"{told:.0f} and {took:.0f} s, {trained:.0f} s of them in {run.steps} steps",
        },
    ]


def carried_out(model: str, steps: int, rank: int, scratch: Path) -> tuple[Run, dict[str, Any]]:
    """Carry out a short run on one thread. Return it with its usage."""
    given = load_experiment("laptop").model_dump(
        mode="json", exclude={"arms", "conditions", "diagnostics", "id"}
    )
    given["training"] |= {"heldout": 0, "lora": {**given["training"]["lora"], "rank": rank}}
    manifest = {
        **given,
        "id": f"plan-{model}",
        "conditions": {
            "B1": {"title": "code", "phases": [{"steps": steps, "mixture": {"code": 1.0}}]}
        },
        "diagnostics": {"every": steps},
        "arms": [{"models": [model], "conditions": ["B1"], "seeds": [0]}],
    }
    path = scratch / f"{manifest['id']}.yaml"
    path.write_text(yaml.safe_dump(manifest))
    results = scratch / "results"
    # Cores are divided among runs: this one then has one thread.
    at_once = str(os.cpu_count() or 1)
    command = [
        sys.executable,
        "-m",
        "repro",
        "run",
        str(path),
        "--runner",
        "local",
        "--max-parallel",
        at_once,
    ]
    done = subprocess.run(
        [*command, "--results", str(results)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    (run,) = expand(load_experiment(str(path)), local_environment())
    (usage,) = results.glob(f"runs/{manifest['id']}/*/usage.json")
    attempts: list[dict[str, Any]] = json.loads(usage.read_text())["attempts"]
    return run, attempts[-1]
