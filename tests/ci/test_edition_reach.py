"""Smoke and the canaries together call the functions that compute: what they do not call, no
comparison holds to its bits.
"""

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from repro.shipped import PACKAGE, ROOT

COMPUTING = ("worker", "train", "diagnose", "geometry")
"""Rooms whose functions make numbers of a run. Completions come after it and name none:
tests/evaluate holds those.
"""
BEFORE = (
    "worker/__main__.py",
    "train/weights.py",
    "train/texts.py",
    "train/records.py",
    "train/structure.py",
)
"""They work before a run: what they make is named by content, or pinned when it comes."""
OUTSIDE = (
    "diagnose/walk.py",
    "diagnose/arrivals.py",
    "diagnose/own_model.py",
    "train/speeds.py",
)
"""What is measured block by block, or streamed, has the bits of the whole model
(tests/diagnose/test_walk.py, tests/fetch/test_stream_runner.py); speeds are no evidence.
"""
RESUMED = "a run that was killed goes on by it, with the same bits (tests/execute/test_resume.py)"
DIVERGED = "a run that diverges, whose numbers never count (tests/train/test_health.py)"
AFTER = "of measurements that are stored, not of a run: ingest computes it anew"
HOST = "of `repro measure` and reports on one's own arrays, not of a run"
WALKED = "of a model that memory does not hold: the whole one's bits (tests/diagnose/test_walk.py)"
COUNTED = "of `kernels: counted`, which no manifest asks for (tests/train/kernels)"
UNCALLED: dict[str, str] = {
    "train/fused.py:counting": COUNTED,
    "train/adapters/place.py:_check_kernels": COUNTED,
    **dict.fromkeys(
        (
            *(
                f"train/kernels/draws.py:{name}"
                for name in ("Draws.on", "draws_of", "counted", "philox")
            ),
            *(
                f"train/kernels/product.py:{name}"
                for name in ("formulas", "CountedProduct.forward", "CountedProduct.backward")
            ),
            *(
                f"train/kernels/plain.py:{name}"
                for name in ("_low", "_grad_a", "_add_grad_x", "_dropped")
            ),
        ),
        COUNTED,
    ),
    **dict.fromkeys(
        (
            f"train/kernels/on_card.py:{name}"
            for name in (
                "_kept",
                "_low_kernel",
                "_grad_a_kernel",
                "_add_grad_x_kernel",
                "_low",
                "_grad_a",
                "_add_grad_x",
                "_given",
                "_launch",
            )
        ),
        f"{COUNTED}, on a card alone",
    ),
    "train/model.py:load_skeleton": WALKED,
    "train/adapters/computed.py:Layer.update_layer": "peft asks for it where a module is replaced; these are placed whole",
    "train/health.py:read_state": RESUMED,
    "train/loop.py:Trainer.restore": RESUMED,
    "train/loop.py:_like_new": RESUMED,
    "train/health.py:last_healthy": DIVERGED,
    "train/loop.py:Step.problem": DIVERGED,
    "train/packed.py:by_kernel": "on a card alone; a CPU attends by _within",
    "diagnose/diagnostics.py:invalid": DIVERGED,
    "worker/session.py:_go_back": DIVERGED,
    "geometry/ridge.py:_inverse": "of more probes than these sets have; held to brute force (tests/geometry/test_ridge.py)",
    "geometry/cores.py:cores_profile": HOST,
    "geometry/cores.py:_cuts": HOST,
    "geometry/entropy.py:_alternate": HOST,
    "geometry/entropy.py:profile_distance": AFTER,
    "geometry/interval.py:BootstrapInterval.around": HOST,
    "geometry/damage.py:accuracy_after": HOST,
    "geometry/specification.py:share": HOST,
    "geometry/sweep.py:overlay": HOST,
    "geometry/sweep.py:scale_at": HOST,
    "geometry/sweep.py:_sigma_1": HOST,
    "geometry/trajectory.py:collapse_steps": AFTER,
    "geometry/trajectory.py:recoveries": AFTER,
    "geometry/trajectory.py:divergence_step": AFTER,
    "geometry/trajectory.py:cell_damage": AFTER,
    "geometry/trajectory.py:collapse_order": AFTER,
    "geometry/trajectory.py:_differ": AFTER,
}
"""Function → why no run of the two manifests calls it."""


CANARIES = ("canary.yaml", "canary_entropies.yaml", "canary_packing.yaml")
PARTS = {"smoke": "tiny-qwen2-B3-s0", **dict.fromkeys(CANARIES, "*")}
"""Manifest → the runs that are looked at. What a part of them calls, all of them call: the part is
only the cheaper proof.
"""


def functions(path: Path) -> Iterator[str]:
    """Qualified names of the functions of a module; those inside others are part of them."""

    def walk(body: list[ast.stmt], above: str) -> Iterator[str]:
        for node in body:
            if isinstance(node, ast.FunctionDef):
                yield f"{above}{node.name}"
            elif isinstance(node, ast.ClassDef):
                yield from walk(node.body, f"{above}{node.name}.")

    return walk(ast.parse(path.read_text()).body, "")


def called(cache: Path, folder: Path) -> set[str]:
    """The functions of this project that workers of both manifests call, as file:name below the
    package.
    """
    site, reached = folder / "site", folder / "site" / "reached"
    reached.mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("reached.py"), site / "sitecustomize.py")
    given = {
        **os.environ,
        "PYTHONPATH": str(site),
        "REPRO_CACHE": str(cache),
        "REPRO_RESULTS": str(folder / "results"),
    }
    # Two threads that wait for each other by turning take minutes where other tests have the cores;
    # they call the same.
    for name in CANARIES:
        canary = (ROOT / "ci" / name).read_text().replace("threads: 2", "threads: 1")
        (folder / name).write_text(canary)
    for name, part in PARTS.items():
        command = [sys.executable, "-m", "repro", "run", name, "--only", part, "--runner", "local"]
        done = subprocess.run(
            command, env=given, cwd=folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr + done.stdout
    lines = {line for path in reached.iterdir() for line in path.read_text().splitlines()}
    return {line.removeprefix(f"{PACKAGE}{os.sep}") for line in lines}


TOY = '''
"""A docstring, which stays the first statement."""
from __future__ import annotations
from functools import cache

def decorator(function):
    return function

@cache
@decorator
def decorated(x: int = 1) -> int:
    """Say what it is."""
    return x

def generator():
    yield 1

def outer():
    def inner(): return [0 for _ in range(2)]
    def idle(): return 0
    return inner()

class Thing:
    @property
    def value(self): return 1
    @staticmethod
    def made(): return Thing()
    def __private(self): return 1
    def unused(self): return (lambda: 0)()

def unused(): return 1

if True:
    def guarded(): return 1

generator()  # made and never begun
decorated(); decorated(); outer(); Thing.made().value; guarded(); Thing()._Thing__private()
assert (__doc__, decorated.__doc__) == ("A docstring, which stays the first statement.", "Say what it is.")
if __name__ == "__main__":
    list(generator())
'''
"""A module with every kind of function; that of a worker, since only they are looked at."""


def test_a_function_of_any_kind_is_noted_when_its_body_runs(tmp_path: Path) -> None:
    """Nested, decorated, a method, begun as a generator: what is only made or never called is not.
    No file is changed.
    """
    site, package = tmp_path / "site", tmp_path / "repro"
    (site / "reached").mkdir(parents=True)
    package.mkdir()
    shutil.copy(Path(__file__).with_name("reached.py"), site / "sitecustomize.py")
    (package / "__init__.py").write_text("")
    (package / "worker.py").write_text(TOY)
    (package / "other.py").write_text(TOY)
    given = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    given["PYTHONPATH"] = f"{site}{os.pathsep}{tmp_path}"
    no_worker = ("-c", "import repro.other")
    for begin in (("-m", "repro.worker"), (*no_worker, "repro.worker"), no_worker):
        subprocess.run([sys.executable, *begin], cwd=tmp_path, env=given, check=True)
    found = {
        line for path in (site / "reached").iterdir() for line in path.read_text().splitlines()
    }
    both = [
        "decorator",
        "decorated",
        "outer",
        "outer.<locals>.inner",
        "Thing.value",
        "Thing.made",
        "Thing.__private",
    ]
    expected = {
        f"{package / name}.py:{function}"
        for name in ("worker", "other")
        for function in (*both, "guarded")
    }
    assert found == expected | {f"{package / 'worker.py'}:generator"}
    assert {path.name.split(".")[0] for path in package.rglob("*.pyc")} == {"__init__", "other"}, (
        "of no worker"
    )
    assert b"__note_call__" not in b"".join(path.read_bytes() for path in package.rglob("*.pyc"))
    assert (package / "worker.py").read_text() == TOY


def test_what_computes_is_called_by_smoke_or_the_canary(cache: Path, tmp_path: Path) -> None:
    """A function that neither calls needs a condition in ci/canary.yaml, or its reason above."""
    found = called(cache, tmp_path)
    assert "geometry/damage.py:loo_scores" in found or len(found) > 100, "a positive control"
    missing = [
        name
        for room in COMPUTING
        for path in sorted((PACKAGE / room).rglob("*.py"))
        if (where := str(path.relative_to(PACKAGE))) not in (*BEFORE, *OUTSIDE)
        for function in functions(path)
        if (name := f"{where}:{function}") not in found and name not in UNCALLED
    ]
    assert missing == []
    assert not found & UNCALLED.keys(), "a reason that no longer holds"
