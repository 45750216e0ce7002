"""Decide the next token, and whether the batch could have changed it.

Sums in another order give logits that differ in their last digits, and padding and batch change
that order. So a decision is taken from a batch only where it holds whatever those digits are; else
the token is decided by a pass over that sequence alone, which no batch affects. B sequences, V
vocabulary.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from repro.files import digest
from repro.geometry.undefined import Array
from repro.manifest.evaluation import Generation

SAFETY = 4.0
"""Two logits must differ by this multiple of the largest difference seen: each may be off by one
such difference.
"""
LEAST = 1e-4
"""Bound where no difference was seen."""


@dataclass
class Bound:
    """Largest measured difference between the logits of one sequence computed in two ways."""

    seen: float = 0.0

    @property
    def value(self) -> float:
        """Return the bound: logits closer than this may change places."""
        return max(SAFETY * self.seen, LEAST)

    def learn(self, one: Tensor, other: Tensor) -> None:
        """Record a difference."""
        self.seen = max(self.seen, float((one - other).abs().max()))

    def refutes(self, margin: float | None) -> bool:
        """Return whether a decision with this margin could have been different.

        Each of the two logits may be off by the largest difference seen.
        """
        return margin is not None and margin < 2 * self.seen


def leads(logits_BV: Tensor) -> list[float]:
    """Return how far each sequence's best logit leads the second: the largest bound within
    which its choice holds.
    """
    best_B2 = logits_BV.topk(2, dim=-1).values
    return [float(lead) for lead in best_B2[:, 0] - best_B2[:, 1]]


def draw(logits_V: Tensor, generation: Generation, share: float) -> tuple[int, float]:
    """Draw a token at `share` (0 to 1) of the cumulative distribution.

    Return (token, error of each logit up to which it is still the token drawn). Tokens are laid
    end to end by id, so that two of nearly the same probability never change places.

    Errors up to e in every logit change a sum of probabilities by a factor of at most
    exp(2e/temperature), so by exp(2e/temperature) − 1 at most. A distance d to the place where
    another token begins therefore allows e = log(1 + d) · temperature / 2.
    """
    scaled = logits_V.double().cpu().numpy() / generation.temperature
    # Subtracting the maximum prevents overflow and changes no probability.
    weights: Array = np.exp(scaled - scaled.max())
    weights /= weights.sum()
    room = np.inf  # 2e/temperature
    if generation.top_p < 1:
        order = np.argsort(-weights, kind="stable")
        before = np.concatenate([[0.0], np.cumsum(weights[order])[:-1]])
        inside = before < generation.top_p
        room = float(np.log1p(np.abs(before - generation.top_p).min()))
        # If two tokens on either side of the cut change places, another set is drawn from.
        if not inside.all():
            room = min(room, float(scaled[order[inside]].min() - scaled[order[~inside]].max()))
        weights[order[~inside]] = 0.0
    ends = np.cumsum(weights)
    at = share * float(ends[-1])
    token = int(np.searchsorted(ends, at, side="right").clip(max=len(ends) - 1))
    # The distance to the nearer end of the token's interval is what may move before it
    # changes.
    near = min(abs(at - float(ends[token])), abs(at - float(ends[token] - weights[token])))
    return token, min(room, float(np.log1p(near))) * generation.temperature / 2


def shares(generation: Generation, task: str, sample: int) -> np.random.Generator:
    """Return the random draws of one sample of one problem, whatever else is generated."""
    return np.random.default_rng(int(digest([generation.seed, task, sample])[:16], 16))


def greedy(logits_BV: Tensor) -> list[int]:
    """Return the best token of each sequence; the first one in a tie."""
    return [int(token) for token in torch.argmax(logits_BV, dim=-1)]
