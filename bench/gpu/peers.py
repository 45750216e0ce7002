"""The same step by transformers' Trainer, in the same process: 1 × 16, 4 × 4, with Liger too."""

import tempfile
import time
from collections.abc import Iterator
from importlib.util import find_spec
from statistics import median
from typing import Any

from torch import nn
from transformers import Trainer, TrainingArguments

from bench.gpu.learns import plain_lora
from bench.gpu.parts import ABSENT, SPEED, failed, stated
from bench.gpu.random_model import random_model
from bench.gpu.scale import Scale, drawn
from bench.gpu.speed import Taken, forget
from bench.table import Row, missing, row
from bench.training_race import Clock, collate
from repro.errors import first_line

WAYS = (
    ("1 × 16", 1, False, 0.0),
    ("4 × 4", 4, False, 6.0),
    ("1 × 16 with Liger", 1, True, 3.0),
    ("4 × 4 with Liger", 4, True, 3.0),
)
"""(name, sequences of a batch, with Liger, the ratio of speeds wanted; 0: none)."""
STEPS = 3
"""The first warms up."""


class CardClock(Clock):
    """Measures whole steps: the card has finished where one begins and ends."""

    def __init__(self, scale: Scale) -> None:
        super().__init__()
        self.scale, self.steps = scale, list[float]()

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Record the beginning of a step."""
        self.scale.synchronise()
        self._begin = time.monotonic()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Record the time of the step."""
        self.scale.synchronise()
        self.steps.append(time.monotonic() - self._begin)


def peer_rows(ours: Taken, name: str, scale: Scale) -> Iterator[Row]:
    """Yield the speed of each way, and ours against it. The last ways change the model's code."""
    training = scale.protocol()
    model = plain_lora(random_model(scale.architecture(name), training, scale.device), training)
    for way, batch, liger, bar in WAYS:
        title = f"{scale.name(name)}: transformers' Trainer, {way}"
        if liger and find_spec("liger_kernel") is None:
            yield missing(title, f"{ABSENT}: liger-kernel")
            continue
        try:
            taken = median(trainer_steps(model, name, batch, liger, scale)[1:])
        except Exception as error:  # A peer that cannot be measured here loses no figure of ours.
            yield failed(title, f"{type(error).__name__}: {first_line(error)[:200]}")
            continue
        finally:
            forget(scale, model)
        speed = ours.tokens / taken
        yield stated(
            title, speed, SPEED, f"{taken:.3f} s a step; bfloat16, checkpointing, as it comes"
        )
        against = f"{scale.name(name)}: ours, checkpointing, against Trainer {way}"
        note = f"{ours.speed:.0f} against {speed:.0f} tokens/s, same card and process"
        ratio = ours.speed / speed
        unbarred = scale.rehearsed or not bar
        yield (
            stated(against, ratio, "×", note)
            if unbarred
            else row(against, ratio, "×", bar, note=note)
        )


def trainer_steps(
    model: nn.Module, name: str, batch: int, liger: bool, scale: Scale
) -> list[float]:
    """Return the seconds of steps of Trainer on the sequences of one of ours."""
    lengths = scale.lengths(name)
    sequences = drawn(scale.architecture(name).vocabulary, 0, lengths)
    clock = CardClock(scale)
    with tempfile.TemporaryDirectory() as scratch:
        given = TrainingArguments(
            output_dir=scratch,
            max_steps=STEPS,
            per_device_train_batch_size=batch,
            gradient_accumulation_steps=len(lengths) // batch,
            learning_rate=1e-4,
            bf16=True,
            gradient_checkpointing=True,
            gradient_checkpointing_kwargs={"use_reentrant": False},
            use_liger_kernel=liger,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            remove_unused_columns=False,
            use_cpu=scale.device == "cpu",
        )
        trainer = Trainer(
            model=model,
            args=given,
            train_dataset=sequences,
            data_collator=collate,
            callbacks=[clock],
        )
        trainer.train()
    return clock.steps
