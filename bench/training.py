"""Training speed against transformers' Trainer, and what the harness adds to a step, on SmolLM2-135M in NF4."""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.data import SequentialSampler
from transformers import Trainer as HFTrainer
from transformers import TrainerCallback, TrainingArguments

import repro.train.loop as loop
from repro.evidence.progress import Progress
from repro.execute.fetch import fetch_models
from repro.execute.folders import cache_folder
from repro.manifest.load import load_experiment, load_models
from repro.manifest.training import Training
from repro.train.batches import pad, tokenise
from repro.train.model import add_lora, load_base, load_tokenizer
from repro.train.texts import standard_library

ROUNDS = 4


def rows() -> list[dict[str, Any]]:
    """Tokens per second and the harness' share, laptop protocol, one sequence per forward as Trainer has it."""
    protocol = load_experiment("laptop").training.model_copy(update={"micro_batches_per_forward": 1})
    chosen = load_experiment("laptop").training
    model = load_models()["smollm2-135m"]
    fetch_models([model], cache_folder(), print)
    folder = cache_folder() / "models" / model.folder
    sequences = data(folder, protocol)
    pairs = []
    network = add_lora(load_base(folder, protocol), protocol, 0)
    ours(network, sequences, protocol)
    for _ in range(ROUNDS):
        pairs.append(
            (ours(network, sequences, protocol), theirs(network, sequences, protocol), ours(network, sequences, chosen))
        )
    ratio = median(a / b for a, b, _ in pairs)
    fused = median(c / b for _, b, c in pairs)
    share = harness_share(network, sequences, chosen)
    speed = f"{median(a for a, _, _ in pairs):.0f} against {median(b for _, b, _ in pairs):.0f} tokens/s"
    return [
        row(
            "training / transformers' Trainer, 1 × 16, equal precision, no checkpointing", ratio, "×", 1.0, False, speed
        ),
        row("the same with the laptop's fused forwards", fused, "×", 1.0, False, "gradient equal at dropout 0 (tests)"),
        row("harness share of a step", 100 * share, "%", 2.0, True, "all but forward, backward, clipping, optimizer"),
    ]


def row(name: str, value: float, unit: str, bar: float, at_most: bool, note: str) -> dict[str, Any]:
    """One line of the table."""
    holds = value <= bar if at_most else value >= bar
    return {
        "name": name,
        "value": value,
        "unit": unit,
        "bar": f"{'≤' if at_most else '≥'} {bar:g}",
        "holds": holds,
        "note": note,
    }


def data(folder: Path, training: Training) -> list[list[int]]:
    """One step's sequences of code, as the laptop manifest cuts them."""
    tokenizer = load_tokenizer(folder)
    return [tokenise(tokenizer, text, training) for text in standard_library()[: training.sequences_per_step]]


def ours(model: nn.Module, sequences: Sequence[Sequence[int]], training: Training) -> float:
    """Tokens per second of two steps of the loop."""
    trainer = loop.Trainer(model, training, 100, 0)
    steps = [trainer.take_step(sequences) for _ in range(2)]
    return sum(step.tokens for step in steps) / sum(step.seconds for step in steps)


class Clock(TrainerCallback):
    """Time between the beginning and the end of each optimizer step."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """A step begins."""
        self._begin = time.monotonic()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """It ends."""
        self.seconds += time.monotonic() - self._begin


class Sequential(HFTrainer):
    """Trainer on the data in the given order."""

    def _get_train_sampler(self, *_: Any) -> SequentialSampler:
        return SequentialSampler(self.train_dataset)  # type: ignore[arg-type]  # a list is sized


def theirs(model: nn.Module, sequences: Sequence[Sequence[int]], training: Training) -> float:
    """Tokens per second of two steps of transformers' Trainer on the same model, data and precision."""

    def collate(batch: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        padded = pad(batch)
        labels = padded.ids.masked_fill(padded.mask == 0, -100)
        return {"input_ids": padded.ids, "attention_mask": padded.mask, "labels": labels}

    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Sequential(
            model=model,
            args=TrainingArguments(
                output_dir=scratch, max_steps=2, per_device_train_batch_size=1,
                gradient_accumulation_steps=training.accumulation, learning_rate=training.optimizer.learning_rate,
                bf16=training.compute == "bfloat16", report_to=[], use_cpu=True, save_strategy="no",
                disable_tqdm=True, remove_unused_columns=False, logging_strategy="no",
            ),
            train_dataset=list(sequences) * 2,
            data_collator=collate,
            callbacks=[clock],
        )  # fmt: skip
        trainer.train()
    return 2 * sum(len(row) - 1 for row in sequences) / clock.seconds


def harness_share(model: nn.Module, sequences: Sequence[Sequence[int]], training: Training) -> float:
    """Share of the time of a step, with progress, that is not forward, backward, clipping or the optimizer."""
    with tempfile.TemporaryDirectory() as scratch, counted() as spent:
        trainer = loop.Trainer(model, training, 100, 0)
        progress = Progress(Path(scratch), 100)
        begin = time.perf_counter()
        for _ in range(3):
            progress.step(trainer.take_step(sequences))
        whole = time.perf_counter() - begin
    return 1 - spent[0] / whole


@contextmanager
def counted() -> Iterator[list[float]]:
    """Seconds spent in forward, backward, clipping and the optimizer while the block runs."""
    spent = [0.0]

    def timed(function: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            begin = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                spent[0] += time.perf_counter() - begin

        return call

    places = [
        (loop, "token_losses"),
        (torch.Tensor, "backward"),
        (nn.utils, "clip_grad_norm_"),
        (torch.optim.AdamW, "step"),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name in places]
    for owner, name, function in kept:
        setattr(owner, name, timed(function))
    try:
        yield spent
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)
