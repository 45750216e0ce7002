"""The worker: run.json in, evidence out. The only program here that imports torch.

    python -m repro.worker run FOLDER --cache CACHE   carry out the run in FOLDER, resuming it
        [--end-with-stdin]                            and stop when standard input ends, as it does
                                                      with the host
    python -m repro.worker materialise SPEC           turn a fetched source into a model folder
    python -m repro.worker texts SPEC                 fetch a data source's texts into the cache
    python -m repro.worker structure SPEC             count the parts of models with their adapters,
                                                      without weights
    python -m repro.worker complete SPEC              complete a benchmark's prompts with a model,
        [--end-with-stdin]                            resumed by problem; stop as above
    python -m repro.worker activations SPEC           read a model's activations on texts, block by
        [--end-with-stdin]                            block, resumed by block; stop as above
    python -m repro.worker speeds SPEC                measure what a card or a core does in a second
    python -m repro.worker devices                    print the number of GPUs torch can use, and
                                                      the CUDA version it is built for

It runs the same in a subprocess, a container or a cluster job, writes only to its folder, and needs
no network.
Exit codes: 0 finished (a diverged run too: that is a result) · 2 bad input, one line · 130 stopped.
"""

import argparse
import gc
import importlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from repro.errors import ReproError

GRACE = 20  # seconds from being asked to stop to being ended
LAUNCHER = Path("/opt/triton/cache")
"""Made by docker/launcher.py: a folder for each module that Triton would otherwise compile."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb of the worker, and return its exit code."""
    parser = argparse.ArgumentParser(prog="repro.worker")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run")
    run.add_argument("folder", type=Path)
    run.add_argument("--cache", type=Path, required=True)
    specified = {verb: verbs.add_parser(verb) for verb in SPECIFIED}
    for one in specified.values():
        one.add_argument("spec", type=Path)
    for one in (run, *(specified[verb] for verb in HEARD)):
        one.add_argument(
            "--end-with-stdin",
            action="store_true",
            help="stop when standard input ends: the host is gone",
        )
    verbs.add_parser("devices")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    if given.verb in ("run", *HEARD) and given.end_with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    if given.verb != "texts":  # the one verb that may reach a hub
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    link_launcher()
    try:
        if given.verb not in ("texts", "devices"):
            _load()
        if given.verb in SPECIFIED:
            SPECIFIED[given.verb](json.loads(given.spec.read_text(encoding="utf-8")))
        elif given.verb == "devices":
            _devices()
        else:
            from repro.worker.session import carry_out

            carry_out(given.folder, given.cache)
    except ReproError as error:
        print(f"repro.worker: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("repro.worker: stopped; it goes on from its last checkpoint", file=sys.stderr)
        return 130
    return 0


def _load() -> None:
    """Import what models need, in three quarters of the time that it takes as it comes.

    Nothing here is compiled by torch, but bitsandbytes would load the compiler; and what modules
    consist of is never garbage, so nothing is searched while they come, nor they themselves later.
    """
    os.environ.setdefault("TORCHDYNAMO_DISABLE", "1")
    gc.disable()
    importlib.import_module("repro.train.model")
    gc.freeze()
    gc.enable()


def link_launcher() -> None:
    """Link Triton's launcher, which the CUDA image contains compiled, into Triton's cache.

    The image has no compiler, and files written to a container's scratch space may not be
    executed; a link may point to an executable.
    """
    cache = os.environ.get("TRITON_CACHE_DIR")
    if cache is None or not LAUNCHER.is_dir():
        return
    for made in LAUNCHER.iterdir():
        there = Path(cache) / made.name
        there.parent.mkdir(parents=True, exist_ok=True)
        if not there.exists():
            there.symlink_to(made)


def _stop(_signal: int, _frame: FrameType | None) -> None:
    """Turn a signal into KeyboardInterrupt."""
    raise KeyboardInterrupt


def _end_with_stdin() -> None:
    """Stop as on a signal once the pipe from the host ends.

    Exit by force if that takes too long.
    """
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(130)


def _materialise(spec: dict[str, str]) -> None:
    """Make a model folder."""
    from repro.manifest.model import Model
    from repro.train.weights import materialise

    source = Path(spec["source"]) if spec["source"] else None
    materialise(Model.model_validate_json(spec["model"]), source, Path(spec["destination"]))


def _texts(spec: dict[str, str]) -> None:
    """Bring the texts of a source into the cache."""
    from repro.manifest.data import Source
    from repro.train.texts import materialise_texts

    materialise_texts(Source.model_validate_json(spec["source"]), Path(spec["destination"]))


def _structures(spec: list[dict[str, Any]]) -> None:
    """Build models without weights, and write a record of each."""
    from repro.files import digest, write_json
    from repro.manifest.model import Model
    from repro.manifest.training import Training
    from repro.train.structure import structure

    for wanted in spec:
        model, training = (
            Model.model_validate(wanted["model"]),
            Training.model_validate(wanted["training"]),
        )
        found = structure(model, training, wanted["sizes"])
        content = found.model_dump(mode="json")
        write_json(Path(wanted["destination"]), {"structure": content, "sha256": digest(content)})


def _complete(spec: dict[str, Any]) -> None:
    """Complete a benchmark's prompts."""
    from repro.evaluate.job import complete

    complete(spec)


def _activations(spec: dict[str, Any]) -> None:
    """Read a model's activations on texts."""
    from repro.diagnose.own_model import activations

    activations(spec)


def _speeds(spec: dict[str, Any]) -> None:
    """Measure what a card or a core does in a second."""
    from repro.files import write_json
    from repro.train.model import require_device
    from repro.train.speeds import speeds
    from repro.worker.session import make_deterministic

    require_device(spec["device"])
    make_deterministic(threads=1)
    write_json(Path(spec["destination"]), speeds(spec["device"], spec["seconds"]))


def _devices() -> None:
    """Print the number of GPUs torch can use, and the CUDA version it is built for."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    print(json.dumps({"count": count, "cuda": torch.version.cuda}))


SPECIFIED: dict[str, Callable[[Any], None]] = {
    "materialise": _materialise, "texts": _texts, "structure": _structures, "complete": _complete,
    "activations": _activations, "speeds": _speeds,
}  # fmt: skip
"""The verbs that take a file with a description."""
HEARD = ("complete", "activations")
"""Those whose host listens to them, and whom they do not outlive."""


if __name__ == "__main__":
    sys.exit(main())
