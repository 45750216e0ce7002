"""The worker: run.json in, evidence out. The only program here that imports torch.

    python -m repro.worker run FOLDER --cache CACHE      carry out the run in FOLDER, from wherever it stands
        [--end-with-stdin]                               and stop when standard input ends, as it does with the host
    python -m repro.worker materialise SPEC              turn a fetched source into a model folder
    python -m repro.worker texts SPEC                    bring the texts of a data source into the cache
    python -m repro.worker structure SPEC                count what models with their adapters are built of, without weights
    python -m repro.worker devices                       print how many GPUs torch can use, and the CUDA it is built for

It runs the same in a subprocess, a container or a cluster job, writes nothing but its folder, and needs no network.
Exit codes: 0 finished (a diverged run too: that is a result) · 2 bad input, one line · 130 stopped.
"""

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any

from repro.errors import ReproError

GRACE = 20  # seconds from being asked to stop to being ended
LAUNCHER = Path("/opt/triton/cache")
"""Made by docker/launcher.py: a folder for each module that Triton would compile."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb of the worker."""
    parser = argparse.ArgumentParser(prog="repro.worker")
    verbs = parser.add_subparsers(dest="verb", required=True)
    run = verbs.add_parser("run")
    run.add_argument("folder", type=Path)
    run.add_argument("--cache", type=Path, required=True)
    run.add_argument("--end-with-stdin", action="store_true", help="stop when standard input ends: the host is gone")
    materialise = verbs.add_parser("materialise")
    materialise.add_argument("spec", type=Path)
    texts = verbs.add_parser("texts")
    texts.add_argument("spec", type=Path)
    structure = verbs.add_parser("structure")
    structure.add_argument("spec", type=Path)
    verbs.add_parser("devices")
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, _stop)
    if given.verb == "run" and given.end_with_stdin:
        threading.Thread(target=_end_with_stdin, daemon=True).start()
    if given.verb != "texts":  # the one verb that may reach a hub
        os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    link_launcher()
    try:
        if given.verb == "materialise":
            _materialise(json.loads(given.spec.read_text()))
        elif given.verb == "texts":
            _texts(json.loads(given.spec.read_text()))
        elif given.verb == "structure":
            _structures(json.loads(given.spec.read_text()))
        elif given.verb == "devices":
            _devices()
        else:
            from repro.diagnose.session import carry_out

            carry_out(given.folder, given.cache)
    except ReproError as error:
        print(f"repro.worker: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("repro.worker: stopped; it goes on from its last checkpoint", file=sys.stderr)
        return 130
    return 0


def link_launcher() -> None:
    """Lay Triton's launcher, which the CUDA image brings compiled, into Triton's cache.

    The image has no compiler, and nothing that is written to a container's scratch may be executed; a link to it may.
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
    raise KeyboardInterrupt


def _end_with_stdin() -> None:
    """Stop as if asked to once the pipe from the host ends; insist where that takes too long."""
    while os.read(0, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE)
    os._exit(130)


def _materialise(spec: dict[str, str]) -> None:
    from repro.manifest.model import Model
    from repro.train.weights import materialise

    source = Path(spec["source"]) if spec["source"] else None
    materialise(Model.model_validate_json(spec["model"]), source, Path(spec["destination"]))


def _texts(spec: dict[str, str]) -> None:
    from repro.manifest.data import Source
    from repro.train.texts import materialise_texts

    materialise_texts(Source.model_validate_json(spec["source"]), Path(spec["destination"]))


def _structures(spec: list[dict[str, Any]]) -> None:
    from repro.files import write_bytes
    from repro.manifest.model import Model
    from repro.manifest.training import Training
    from repro.train.structure import structure

    for wanted in spec:
        model, training = Model.model_validate(wanted["model"]), Training.model_validate(wanted["training"])
        found = structure(model, training, wanted["sizes"])
        write_bytes(Path(wanted["destination"]), found.model_dump_json(indent=1).encode())


def _devices() -> None:
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    print(json.dumps({"count": count, "cuda": torch.version.cuda}))


if __name__ == "__main__":
    sys.exit(main())
