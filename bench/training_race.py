"""Time optimizer steps of ours, transformers' Trainer and TRL's SFTTrainer in turns.

Prints JSON after each; TRL takes part where it is installed. Run by bench/training.py. All train
the same quantised model with peft's LoRA on the same 16 sequences; the peers take one at a time and
accumulate 16. A step is timed from its first forward pass to the end of the optimizer.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import Trainer, TrainerCallback, TrainingArguments

import repro.train.loop as loop
from bench.training import as_the_worker, data, network, protocol
from repro.manifest.training import Training
from repro.train.batches import pad
from repro.train.loop import keep_freed_memory
from repro.train.model import load_base, load_tokenizer

ROUNDS = 2
ENOUGH_SECONDS = 350
"""No further round is started if it would end after this."""


def main(folder: Path) -> None:
    """Let every contender take one step to warm up, then time rounds.

    The first pass of each length builds its kernels.
    """
    begin = time.monotonic()
    sequences = data(folder)
    ways = contenders(folder)
    keep_freed_memory()  # It helps the peers too, which would not do it themselves.
    for way in ways.values():
        way(sequences)
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for done in range(ROUNDS):
        start = time.monotonic()
        for name, way in ways.items():
            seconds[name].append(way(sequences))
            print(json.dumps({name: times for name, times in seconds.items() if times}), flush=True)
        now = time.monotonic()
        if done + 1 < ROUNDS and now - begin + (now - start) > ENOUGH_SECONDS:
            break


def contenders(folder: Path) -> dict[str, Callable[[Sequence[Sequence[int]]], float]]:
    """Return by name the functions that take one step on sequences and return its seconds."""
    half, full = protocol(), protocol(compute="float32")
    packed = protocol(packing="packed")
    plain = {training.compute: plain_lora(folder, training) for training in (half, full)}
    own = network(folder, half)
    ways: dict[str, Callable[[Sequence[Sequence[int]]], float]] = {
        "ours": partial(ours, own, half),
        "ours, packed": partial(ours, own, packed),
        "Trainer": partial(by_trainer, plain["bfloat16"], True),
        "ours, float32": partial(ours, network(folder, full), full),
        "Trainer, float32": partial(by_trainer, plain["float32"], False),
    }
    if find_spec("trl"):
        # A copy of its own: SFTTrainer changes the type of trained weights.
        lent = plain_lora(folder, half)
        ways["SFTTrainer"] = partial(
            by_trl, lent, folder, {"bf16": True, "gradient_checkpointing": False}
        )
        ways["SFTTrainer as it comes"] = partial(by_trl, lent, folder, {})
    return ways


def plain_lora(folder: Path, training: Training) -> nn.Module:
    """Return the model with peft's own layers."""
    lora = training.lora
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=int(lora.alpha),
        lora_dropout=lora.dropout,
        target_modules=list(lora.targets),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(load_base(folder, training), config).train()


def ours(model: nn.Module, training: Training, sequences: Sequence[Sequence[int]]) -> float:
    """Take one step of the loop, as the worker does. Return its seconds."""
    trainer = loop.Trainer(model, training, 100, 0)
    with as_the_worker():
        return trainer.take_step(sequences).seconds


class Clock(TrainerCallback):
    """Measures the time from the beginning to the end of optimizer steps."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Record the beginning of a step."""
        self._begin = time.monotonic()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Add the time of the step."""
        self.seconds += time.monotonic() - self._begin


def arguments(scratch: str, sequences: Sequence[Sequence[int]]) -> dict[str, Any]:
    """Return the arguments that both peers get."""
    return {
        "output_dir": scratch,
        "max_steps": 1,
        "per_device_train_batch_size": 1,
        "gradient_accumulation_steps": len(sequences),
        "learning_rate": 1e-4,
        "report_to": [],
        "use_cpu": True,
        "save_strategy": "no",
        "disable_tqdm": True,
        "logging_strategy": "no",
    }


def by_trainer(model: Any, half: bool, sequences: Sequence[Sequence[int]]) -> float:
    """Take one step of transformers' Trainer, without checkpointing. Return its seconds."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as scratch:
        trainer = Trainer(
            model=model,
            args=TrainingArguments(
                **arguments(scratch, sequences), bf16=half, remove_unused_columns=False
            ),
            train_dataset=list(sequences),
            data_collator=collate,
            callbacks=[clock],
        )
        trainer.train()
    return clock.seconds


def collate(batch: Sequence[Sequence[int]]) -> dict[str, Tensor]:
    """Return padded ids, in which padding is not predicted."""
    padded = pad(batch)
    labels = padded.ids.masked_fill(padded.mask == 0, -100)
    return {"input_ids": padded.ids, "attention_mask": padded.mask, "labels": labels}


def by_trl(
    model: Any, folder: Path, settings: dict[str, Any], sequences: Sequence[Sequence[int]]
) -> float:
    """Take one step of TRL's SFTTrainer and return its seconds.

    What `settings` leave out is its own default.
    """
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer  # type: ignore[import-not-found]  # not installed with the project

    clock = Clock()
    model.gradient_checkpointing_disable()
    with tempfile.TemporaryDirectory() as scratch:
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(**arguments(scratch, sequences), **settings),
            train_dataset=Dataset.from_dict({"input_ids": [list(row) for row in sequences]}),
            processing_class=load_tokenizer(folder),
            callbacks=[clock],
        )
        trainer.train()
    return clock.seconds


if __name__ == "__main__":
    main(Path(sys.argv[1]))
