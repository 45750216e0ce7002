"""Measure a model of the papers' shape block by block, and kill it twice on the way.

    python -m bench.shaped MODEL BLOCKS FOLDER [--whole]

Writes a checkpoint of random bfloat16 weights in the shape of MODEL (manifests/models.yaml) with
its first BLOCKS blocks below FOLDER, in shards as a hub's; measures it as `repro run` measures
base_geometry's, on one thread, kill -9 after a third and after two thirds of the blocks; prints
seconds, memory and the plan's figure; removes the checkpoint. Of fewer
blocks than the model has, it says what one took and what all would take, extrapolated. `--whole`
then loads all of it and compares the activations bit for bit.
"""

import argparse
import json
import math
import os
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import psutil
import torch
from safetensors.torch import load_file

from repro.cache import IDENTITY, model_folder
from repro.cost.hours import run_hours
from repro.cost.profiles import core
from repro.cost.space import gibibytes
from repro.cost.walked import walked_gibibytes
from repro.diagnose.capture import Reading, capture
from repro.evidence.folder import BY_BLOCK
from repro.execute.folders import cache_folder, place_run, prepare
from repro.execute.host_note import note_host
from repro.execute.local import LocalJob
from repro.files import GIB, file_digest, write_json
from repro.manifest.load import load_experiment, load_models
from repro.manifest.model import Model, RandomWeights
from repro.manifest.probes import load_probe_set
from repro.plan.expand import expand, local_environment
from repro.plan.run import Run
from repro.plan.weight_files import INDEX, expected_tensors
from repro.train.model import load_base, load_tokenizer
from repro.train.weights import MODEL_FAMILIES, _small_tokenizer, configuration

SHARD_BLOCKS = 4
WORDS = 16_384
"""Tokens of the tokenizer that is trained here."""
SIZE = 0.02
"""Standard deviation of the weights."""
PIECE = 1 << 22
"""Weights that are drawn at a time."""


def main() -> None:
    """Make it, measure it, and print what it took."""
    parser = argparse.ArgumentParser(prog="bench.shaped")
    parser.add_argument("model")
    parser.add_argument("blocks", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--whole", action="store_true")
    given = parser.parse_args()
    if given.folder.exists():  # numbers of other weights could lie in it
        parser.error(f"{given.folder} is there already; name a new folder")
    run = shaped(given.model, given.blocks)
    cache = given.folder / "cache"
    try:
        files = make(run.model, cache)
        print(f"{run.model.architecture.parameters / 1e9:.2f} B parameters, {given.blocks} blocks")
        thirds = (given.blocks // 3, 2 * given.blocks // 3, None)
        watched = measure(run, given.folder / "results", cache, thirds)
        figures(run, watched)
        layers = load_models()[given.model].architecture.layers
        if given.blocks < layers and watched.blocks:
            extrapolate(watched, layers)
        if given.whole:
            print("bits of the whole model:", same_bits(run, files, watched.path))
    finally:
        shutil.rmtree(cache, ignore_errors=True)


def shaped(name: str, blocks: int) -> Run:
    """Return base_geometry's run of a model with random weights and this many blocks."""
    real = load_models()[name]
    shape = real.architecture.model_copy(update={"layers": blocks})
    model = Model(id=f"{name}-shaped", title=f"shape of {real.title}, random weights",
                  weights=RandomWeights(kind="random"), architecture=shape)  # fmt: skip
    run = expand(load_experiment("base_geometry"), local_environment())[0]
    return Run.model_validate({**run.model_dump(), "model": model.model_dump()})


def make(model: Model, cache: Path) -> Path:
    """Write the checkpoint shard by shard, and its tokenizer; return its folder."""
    folder, shape = model_folder(cache, model.folder), model.architecture
    folder.mkdir(parents=True)
    drawn = torch.Generator().manual_seed(0)
    named: dict[str, str] = {}
    shard: dict[str, tuple[int, ...]] = {}
    number = 0
    for name, sides in expected_tensors(shape).items():
        shard[name] = sides
        last = name == "model.norm.weight" or not name.startswith("model.")
        full = f"layers.{(number + 1) * SHARD_BLOCKS - 1}.post_attention" in name
        if last or full or name.startswith("model.embed"):
            file = f"model-{len(set(named.values())):05d}.safetensors"
            named |= dict.fromkeys(shard, file)
            _write_shard(folder / file, shard, drawn)
            shard, number = {}, number + full
    write_json(folder / INDEX, {"metadata": {}, "weight_map": named})
    tokenizer = _small_tokenizer(min(WORDS, shape.vocabulary))
    tokenizer.save_pretrained(folder)
    config, _ = MODEL_FAMILIES[shape.family]
    config(**configuration(shape), eos_token_id=tokenizer.eos_token_id).save_pretrained(folder)
    digests = {path.name: file_digest(path) for path in sorted(folder.iterdir())}
    write_json(folder / IDENTITY, {"model": model.model_dump(mode="json"), "files": digests})
    return folder


def _write_shard(path: Path, shapes: dict[str, tuple[int, ...]], drawn: torch.Generator) -> None:
    """Write random weights piece by piece: no tensor is in memory whole."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, sides in shapes.items():
        size = 2 * math.prod(sides)
        header[name] = {"dtype": "BF16", "shape": sides, "data_offsets": [end, end + size]}
        end += size
    described = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(len(described).to_bytes(8, "little") + described)
        for name, sides in shapes.items():
            centre = float(name.endswith("norm.weight"))
            left = math.prod(sides)
            while left:
                value = torch.empty(min(left, PIECE)).normal_(centre, SIZE, generator=drawn)
                file.write(value.to(torch.bfloat16).view(torch.int16).numpy().tobytes())
                left -= len(value)


class Watched(NamedTuple):
    """A run that was carried out, and the processor seconds of each block that was seen whole."""

    path: Path
    blocks: list[float]


def measure(run: Run, results: Path, cache: Path, stops: Sequence[int | None] = (None,)) -> Watched:
    """Carry the run out block by block, killed after so many blocks where a number says so."""
    folder = prepare(place_run(run, results))
    took: list[float] = []
    for stop in stops:
        note_host(folder, "local", BY_BLOCK)
        begun = time.monotonic()
        job = LocalJob.start(folder, cache, run.threads)
        took += _watch(job, stop)
        seconds = time.monotonic() - begun
        print(f"ended with {job.poll()} after {seconds:.0f} s", file=sys.stderr, flush=True)
        if job.poll() and (stop is None or _block(folder.path) < stop):
            sys.exit(f"bench.shaped: nobody here ended it: {job.problem(job.poll() or 0)}")
    assert folder.done(), folder.log.read_text()
    return Watched(folder.path, took)


def _watch(job: LocalJob, stop: int | None) -> list[float]:
    """Return the processor seconds of each block but the first; kill it behind block `stop`."""
    moments: dict[int, float] = {}
    while job.poll() is None:
        time.sleep(0.1)
        block = _block(job.folder.path)
        if block not in moments:
            with suppress(psutil.Error):
                used = psutil.Process(job.process.pid).cpu_times()
                moments[block] = used.user + used.system
        if stop is not None and block >= stop and job.poll() is None:
            os.kill(job.process.pid, signal.SIGKILL)
            job.process.wait()
    # what was there before the first change is the state of an earlier attempt
    begun = sorted(moments)[1:]
    return [moments[two] - moments[one] for one, two in pairwise(begun) if two == one + 1]


def _block(path: Path) -> int:
    """Return how many blocks are behind."""
    try:
        content: dict[str, Any] = json.loads((path / "progress.json").read_text())
    except (OSError, ValueError):
        return 0
    return int(content.get("block", 0))


def extrapolate(watched: Watched, layers: int) -> None:
    """Print the processor seconds of a block, and of as many as the whole model has."""
    block = median(watched.blocks)
    print(f"processor seconds of a block: {block:.1f} in the middle, {min(watched.blocks):.1f} to "
          f"{max(watched.blocks):.1f} of {len(watched.blocks)}; extrapolated to {layers} blocks, "
          f"not measured: {block * layers / 3600:.2f} hours of one thread")  # fmt: skip


def figures(run: Run, watched: Watched) -> None:
    """Print what the last attempt took, beside the plan."""
    path = watched.path
    attempts = json.loads((path / "usage.json").read_text())["attempts"]
    held = held_gibibytes(path)
    planned, used = walked_gibibytes(run), run_hours(run, core(cache_folder()))
    print(f"memory: planned {planned:.2f} GiB, held {held:.2f} GiB; whole {gibibytes(run):.1f} GiB")
    print(f"processor seconds of the last attempt: {attempts[-1]['processor_seconds']:.0f}; planned "
          f"for all of it: {3600 * used.low:.0f} to {3600 * used.high:.0f}")  # fmt: skip


def held_gibibytes(path: Path) -> float:
    """Return the most memory that a run's attempts held."""
    attempts = json.loads((path / "usage.json").read_text())["attempts"]
    return float(max(one["peak_memory_bytes"] for one in attempts)) / GIB


def same_bits(run: Run, files: Path, path: Path) -> bool:
    """Return whether the whole model, loaded, has the same activations."""
    torch.set_num_threads(run.threads)
    torch.use_deterministic_algorithms(True)
    reading = Reading.of(run.diagnostics)
    texts = load_probe_set(run.probe_set).texts()
    whole = capture(load_base(files, run.training), load_tokenizer(files), texts, [reading])
    walked = load_file(path / "activations" / "000000.safetensors")["activations"]
    return torch.equal(walked, torch.from_numpy(whole[reading]))


if __name__ == "__main__":
    main()
