"""Compare training speed with peers, and peak memory with the plan; time health checks.

The peers are transformers' Trainer and TRL's SFTTrainer. SmolLM2-135M in NF4 with LoRA of rank 64
on every projection; one optimizer step on 16 sequences of 40 to 250 tokens of the standard library,
2,208 in all. TRL is not a dependency of ours: install it where the project's packages are visible
and name that Python in REPRO_BENCH_PEERS; without it its rows say that they were not measured.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import nn

import repro.train.loop as loop
from bench.table import Row, missing, row
from repro.cost.space import gibibytes
from repro.execute.folders import cache_folder
from repro.fetch.models import fetch_models
from repro.manifest.load import load_experiment, load_models
from repro.manifest.training import Training
from repro.plan.expand import expand, local_environment
from repro.train.adapters.place import adapt
from repro.train.health import check_parameters
from repro.train.loop import keep_freed_memory
from repro.train.model import load_base, load_tokenizer
from repro.train.texts import standard_library
from repro.train.usage import peak_memory

MODEL = "smollm2-135m"
LENGTHS = (148, 40, 250, 86, 114, 61, 200, 165, 50, 243, 100, 128, 180, 73, 220, 150)
"""Tokens of each sequence, unsorted; 2,208 in all."""
RACE_SECONDS = 420
"""Time limit; what was timed by then counts.

Warm-up and two rounds take 340 s on two idle cores.
"""
WHERE = f"({MODEL}, NF4, rank 64, 16 sequences)"
RACES = (
    (
        "ours, packed",
        "Trainer",
        "transformers' Trainer, packed, both bfloat16, neither with checkpointing",
        2.6,
    ),
    ("ours", "Trainer", "transformers' Trainer, both bfloat16, neither with checkpointing", 1.4),
    ("ours", "SFTTrainer", "TRL's SFTTrainer, both bfloat16, neither with checkpointing", 1.4),
    (
        "ours, float32",
        "Trainer, float32",
        "transformers' Trainer, both float32, neither with checkpointing",
        1.4,
    ),
    ("ours", "Trainer, float32", "transformers' Trainer as it comes (float32)", 2.0),
    (
        "ours",
        "SFTTrainer as it comes",
        "TRL's SFTTrainer as it comes (bfloat16, checkpointing)",
        2.0,
    ),
)
"""(one, the other, description of the other, required ratio of speeds)."""


def rows() -> list[Row]:
    """Return the rows of the speed table about training."""
    folder = model_folder()
    return [*race_rows(folder), memory_row(folder), *share_rows(folder)]


def model_folder() -> Path:
    """Return the model's folder in the cache, fetched if missing."""
    model = load_models()[MODEL]
    fetch_models([model], cache_folder(), lambda line: print(line, file=sys.stderr))
    return cache_folder() / "models" / model.folder


def protocol(**changes: Any) -> Training:
    """Return the laptop manifest's training, on longer sequences."""
    return load_experiment("laptop").training.model_copy(
        update={"max_length": max(LENGTHS), **changes}
    )


def data(folder: Path) -> list[list[int]]:
    """Return one step's sequences: the first texts of the standard library that are long
    enough, cut.
    """
    tokenizer = load_tokenizer(folder)
    texts = (text for text in standard_library() if len(text) > 8 * max(LENGTHS))
    sequences: list[list[int]] = [
        tokenizer(text)["input_ids"][:n] for n, text in zip(LENGTHS, texts, strict=False)
    ]
    if list(map(len, sequences)) != list(LENGTHS):
        raise RuntimeError(
            f"the standard library's texts are too short: {list(map(len, sequences))}"
        )
    return sequences


def network(folder: Path, training: Training) -> nn.Module:
    """Return the model with our adapter."""
    return adapt(load_base(folder, training), training, 0)


@contextmanager
def as_the_worker() -> Iterator[None]:
    """Use deterministic algorithms, as in a run. The peers' default is without."""
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # torch sets it at run time
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def race_rows(folder: Path) -> list[Row]:
    """Compare tokens per second of one optimizer step, ours and the peers' in turns in one
    process.
    """
    python = os.environ.get("REPRO_BENCH_PEERS") or sys.executable
    root, offline = Path(__file__).parents[1], {**os.environ, "HF_HUB_OFFLINE": "1"}
    command = [python, "-m", "bench.training_race", str(folder)]
    try:
        printed = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
            cwd=root,
            env=offline,
            timeout=RACE_SECONDS,
        ).stdout
    except subprocess.TimeoutExpired as error:
        partial = error.stdout or b""  # bytes, although text was asked for
        printed, why = (
            partial.decode() if isinstance(partial, bytes) else partial,
            f"not finished after {RACE_SECONDS} s",
        )
    except subprocess.CalledProcessError as error:
        printed, why = (
            error.stdout,
            f"failed with code {error.returncode}; its last words are above",
        )
    else:
        why = "REPRO_BENCH_PEERS names no Python that has trl"
    told = [line for line in printed.splitlines() if line.startswith('{"ours"')]
    seconds: dict[str, list[float]] = json.loads(told[-1]) if told else {}
    return [race_row(seconds, why, *race) for race in RACES]


def race_row(
    seconds: dict[str, list[float]], why: str, one: str, other: str, words: str, bar: float
) -> Row:
    """Return the ratio of speeds: the median over rounds of the ratio within a round."""
    name = f"training against {words} {WHERE}"
    if one not in seconds or other not in seconds:
        return missing(name, why)
    ratio = median(
        theirs / ours for ours, theirs in zip(seconds[one], seconds[other], strict=False)
    )
    ours, theirs = (sum(LENGTHS) / median(seconds[which]) for which in (one, other))
    rounds = len(seconds[other])
    return row(
        name,
        ratio,
        "×",
        bar,
        note=f"{ours:.0f} against {theirs:.0f} tokens/s, {rounds} rounds in turns",
    )


def memory_row(folder: Path) -> Row:
    """Compare the peak of a process that loads the model and takes two steps with the plan's
    for such a run.
    """
    run = next(run for run in expand(load_experiment("laptop"), local_environment()) if run.steps)
    declared = gibibytes(run.model_copy(update={"training": protocol()}))
    child = (
        "from pathlib import Path; import sys; from bench.training import peak; "
        "print(peak(Path(sys.argv[1])))"
    )
    command = [sys.executable, "-c", child, str(folder)]
    root = Path(__file__).parents[1]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, cwd=root, timeout=RACE_SECONDS
    )
    found = int(done.stdout.splitlines()[-1]) / 2**30
    note = f"{found:.2f} GiB; the plan declares {declared:.2f}"
    return row(
        f"peak memory of training against the plan's {WHERE}",
        found / declared,
        "×",
        1.0,
        True,
        note,
    )


def peak(folder: Path) -> int:
    """Return the peak bytes of this process after two steps."""
    training = protocol()
    trainer = loop.Trainer(network(folder, training), training, 100, 0)
    sequences = data(folder)
    keep_freed_memory()
    with as_the_worker():
        for _ in range(2):
            trainer.take_step(sequences)
    return peak_memory()


def share_rows(folder: Path) -> list[Row]:
    """Measure the share of a step that is not training: health checks alone, and everything."""
    training, sequences = protocol(), data(folder)
    trainer = loop.Trainer(network(folder, training), training, 100, 0)
    keep_freed_memory()
    with as_the_worker():
        trainer.take_step(sequences)
        with timed((torch, "isfinite")) as health, timed(*WORK) as work:
            begin = time.perf_counter()
            for _ in range(2):
                step = trainer.take_step(sequences)
                timed_problem(health, step, trainer)
            whole = time.perf_counter() - begin
    return [
        row(
            f"health checks, those of a checkpoint too, of a step {WHERE}",
            100 * health[0] / whole,
            "%",
            0.5,
            True,
            "loss, gradient and every trained parameter after each step",
        ),
        row(
            f"everything but forward, backward, clipping and optimizer, of a step {WHERE}",
            100 * (1 - work[0] / whole),
            "%",
            2.0,
            True,
            "health included",
        ),
    ]


WORK = (
    (loop, "weighted_loss"),
    (torch.Tensor, "backward"),
    (nn.utils, "clip_grad_norm_"),
    (torch.optim.AdamW, "step"),
)


def timed_problem(spent: list[float], step: loop.Step, trainer: loop.Trainer) -> None:
    """Add the time to check that a step and the parameters after it are finite."""
    before, begin = spent[0], time.perf_counter()
    if not step.finite or check_parameters(trainer.model, trainer.step):
        raise RuntimeError("the benchmark diverged")
    spent[0] = before + time.perf_counter() - begin


@contextmanager
def timed(*places: tuple[Any, str]) -> Iterator[list[float]]:
    """Yield the seconds spent in the named functions while the block runs."""
    spent = [0.0]

    def timing(function: Any) -> Any:
        """Return the function with its time added."""

        def call(*arguments: Any, **named: Any) -> Any:
            begin = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                spent[0] += time.perf_counter() - begin

        return call

    kept = [(owner, name, getattr(owner, name)) for owner, name in places]
    for owner, name, function in kept:
        setattr(owner, name, timing(function))
    try:
        yield spent
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)
