"""Generate completions: many problems at once, each as if it were alone (docs/SCIENCE.md §10).

Problems of similar length share a batch, padded on the left; a sequence that has ended leaves it.
Everything is computed in float32 without dropout. No completion depends on the batch: see
`repro.evaluate.decide`. B running sequences, T tokens of the longest so far, V vocabulary.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase

from repro.diagnose.capture import full_precision
from repro.evaluate.cache import new_cache
from repro.evaluate.decide import Bound, draw, greedy, leads, shares
from repro.evaluate.stops import TAIL, cut, prompt_of, stops
from repro.manifest.evaluation import Generation
from repro.train.model import without_dropout

CACHE_BYTES = 3 << 30
"""Most bytes for keys and values of one batch."""
COMPACT = 0.75
"""A batch is made smaller once at most this share of it is still running."""


@dataclass(frozen=True)
class Completion:
    """One completion of one problem."""

    task_id: str
    sample: int
    completion: str
    tokens: int
    """Number of generated tokens, including those after the end of the completion."""
    ended: Literal["stop", "end_of_text", "length"]
    decided_alone: int
    """Tokens that the batch might have changed, which were therefore decided without it."""
    margin: float | None
    """Difference of logits within which all tokens decided by the batch hold; None where it
    decided none.
    """
    seen: float
    """Largest difference of logits between batch and single sequences known when it ended."""


@dataclass
class _Sequence:
    """One running completion."""

    task_id: str
    sample: int
    prompt: list[int]
    random: np.random.Generator
    tokens: list[int] = field(default_factory=list)
    ended: Literal["stop", "end_of_text", "length"] | None = None
    decided_alone: int = 0
    margin: float | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Return the task and sample that identify it."""
        return self.task_id, self.sample


Kept = Mapping[tuple[str, int], Completion]
Keep = Callable[[Completion], None]


@torch.no_grad()
def generate(
    model: nn.Module,
    tokenizer: PreTrainedTokenizerBase,
    prompts: Sequence[tuple[str, str]],
    generation: Generation,
    keep: Keep,
    kept: Kept = MappingProxyType({}),
) -> Bound:
    """Complete (task, prompt) pairs, and return the measured bound.

    `keep` gets each completion when it ends. `kept`: existing completions. One that is refuted
    by a difference seen later is generated again.
    """
    bound, made = _known(kept), dict(kept)
    asked = [(task, text, sample) for task, text in prompts for sample in range(generation.samples)]
    with without_dropout(model), full_precision(model), _without_checkpointing(model):
        while waiting := [
            _Sequence(
                task, sample, tokenizer.encode(prompt_of(text)), shares(generation, task, sample)
            )
            for task, text, sample in asked
            if (task, sample) not in made or bound.refutes(made[task, sample].margin)
        ]:
            waiting.sort(key=lambda sequence: (len(sequence.prompt), sequence.key))
            for batch in _batches(waiting, generation, model):
                for completion in _Batch(model, tokenizer, generation, bound, batch).run():
                    made[completion.task_id, completion.sample] = completion
                    keep(completion)
    return bound


def refuted(kept: Kept) -> bool:
    """Return whether a difference known when one completion ended refutes another."""
    bound = _known(kept)
    return any(bound.refutes(one.margin) for one in kept.values())


def _known(kept: Kept) -> Bound:
    """Return the largest difference of logits that completions record."""
    return Bound(max((one.seen for one in kept.values()), default=0.0))


def _batches(
    waiting: Sequence[_Sequence], generation: Generation, model: nn.Module
) -> Iterator[list[_Sequence]]:
    """Yield sequences of similar length, as many as the settings and memory allow."""
    config: Any = model.config
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    per_token = 8 * config.num_hidden_layers * config.num_key_value_heads * width
    batch: list[_Sequence] = []
    for sequence in waiting:
        tokens = len(sequence.prompt) + generation.max_new_tokens
        if batch and (
            len(batch) == generation.batch or (len(batch) + 1) * tokens * per_token > CACHE_BYTES
        ):
            yield batch
            batch = []
        batch.append(sequence)
    if batch:
        yield batch


@contextmanager
def _without_checkpointing(model: nn.Module) -> Iterator[None]:
    """Let layers use a key-value cache, which they refuse while gradient checkpointing is on."""
    switched = [
        module
        for module in model.modules()
        if getattr(module, "gradient_checkpointing", False) is True
    ]
    for module in switched:
        module.gradient_checkpointing = False  # type: ignore[assignment]
    try:
        yield
    finally:
        for module in switched:
            module.gradient_checkpointing = True  # type: ignore[assignment]


@dataclass
class _Batch:
    """Sequences that are generated together."""

    model: nn.Module
    tokenizer: PreTrainedTokenizerBase
    generation: Generation
    bound: Bound
    rows: list[_Sequence]

    def run(self) -> Iterator[Completion]:
        """Generate until every sequence has ended, and yield each completion when it does."""
        device = next(self.model.parameters()).device
        longest = max(len(row.prompt) for row in self.rows)
        ids_BT = torch.tensor(
            [[0] * (longest - len(row.prompt)) + row.prompt for row in self.rows], device=device
        )
        mask_BT = torch.tensor(
            [[0] * (longest - len(row.prompt)) + [1] * len(row.prompt) for row in self.rows],
            device=device,
        )
        cache = new_cache()
        self._measure(first := self._logits(ids_BT, mask_BT, cache))
        logits_BV = first
        while True:
            for row, token in zip(self.rows, self._decide(logits_BV), strict=True):
                if row.ended is None:
                    self._add(row, token)
                    if row.ended is not None:
                        yield self._completion(row)
            left = [at for at, row in enumerate(self.rows) if row.ended is None]
            if not left:
                return
            if len(left) <= COMPACT * len(self.rows):
                kept = torch.tensor(left, device=device)
                cache.batch_select_indices(kept)
                mask_BT, self.rows = mask_BT[kept], [self.rows[at] for at in left]
            mask_BT = torch.cat([mask_BT, mask_BT.new_ones(len(self.rows), 1)], dim=1)
            ids_B1 = torch.tensor([[row.tokens[-1]] for row in self.rows], device=device)
            logits_BV = self._logits(ids_B1, mask_BT, cache)

    def _logits(self, ids_BT: Tensor, mask_BT: Tensor, cache: Any) -> Tensor:
        """Return logits (B×V, float32) of the next token."""
        # Positions count real tokens only, so that padding on the left shifts nothing.
        places_BT = (mask_BT.cumsum(dim=1) - 1).clamp(min=0)[:, -ids_BT.shape[1] :]
        found: Tensor = self.model(
            input_ids=ids_BT, attention_mask=mask_BT, position_ids=places_BT, past_key_values=cache, use_cache=True,
            logits_to_keep=1,
        ).logits  # fmt: skip
        return found[:, -1].float()

    def _alone(self, row: _Sequence) -> Tensor:
        """Return logits (V) from one pass over this sequence alone: the reference for every
        decision.
        """
        ids_1T = torch.tensor(
            [row.prompt + row.tokens], device=next(self.model.parameters()).device
        )
        found: Tensor = self.model(input_ids=ids_1T, use_cache=False, logits_to_keep=1).logits
        return found[0, -1].float()

    def _measure(self, logits_BV: Tensor) -> None:
        """Measure how far the batch's logits are from single sequences', on its shortest
        and its longest.
        """
        for at in {0, len(self.rows) - 1}:
            self.bound.learn(logits_BV[at], self._alone(self.rows[at]))

    def _decide(self, logits_BV: Tensor) -> list[int]:
        """Return the next token of each row; an arbitrary one for rows that have ended."""
        if self.generation.temperature > 0:
            return [
                0 if row.ended else self._drawn(row, logits_V)
                for row, logits_V in zip(self.rows, logits_BV, strict=True)
            ]
        tokens = greedy(logits_BV)
        for at, (row, lead) in enumerate(zip(self.rows, leads(logits_BV), strict=True)):
            if row.ended is None and not self._stands(row, lead):
                tokens[at] = greedy(self._again(row, logits_BV[at])[None])[0]
        return tokens

    def _drawn(self, row: _Sequence, logits_V: Tensor) -> int:
        """Return a random token, decided alone where the batch could have changed it."""
        share = float(row.random.random())
        token, margin = draw(logits_V, self.generation, share)
        return (
            token
            if self._stands(row, margin)
            else draw(self._again(row, logits_V), self.generation, share)[0]
        )

    def _stands(self, row: _Sequence, margin: float) -> bool:
        """Return whether a batch's decision holds within the bound.

        If so, record its margin, to compare with differences seen later.
        """
        if margin < self.bound.value:
            return False
        row.margin = margin if row.margin is None else min(row.margin, margin)
        return True

    def _again(self, row: _Sequence, logits_V: Tensor) -> Tensor:
        """Return the logits of a sequence alone, and learn from their difference."""
        alone_V = self._alone(row)
        row.decided_alone += 1
        self.bound.learn(logits_V, alone_V)
        return alone_V

    def _add(self, row: _Sequence, token: int) -> None:
        """Add a token, and end the sequence if it is complete."""
        row.tokens.append(token)
        if token == self.tokenizer.eos_token_id:
            row.ended = "end_of_text"
        elif stops(str(self.tokenizer.decode(row.tokens[-TAIL:]))):
            row.ended = "stop"
        elif len(row.tokens) == self.generation.max_new_tokens:
            row.ended = "length"

    def _completion(self, row: _Sequence) -> Completion:
        """Return the completion of a sequence that has ended."""
        text = str(self.tokenizer.decode(row.tokens, skip_special_tokens=True))
        assert row.ended is not None
        return Completion(
            row.task_id, row.sample, cut(text), len(row.tokens), row.ended, row.decided_alone, row.margin,
            self.bound.seen,
        )  # fmt: skip
