"""Dropout's draws by counter: which entries are kept follows from where they stand in a step.

A mask is a function of (seed of the step, module, sequence, position, channel), by Philox 4×32 with
ten rounds (Salmon et al. 2011, Parallel random numbers: as easy as 1, 2, 3). So it is never stored,
it is the same when a block is computed again under checkpointing, whatever sequences share a pass,
and on any device. M rows (tokens) of a pass, K channels, G groups of eight channels.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from repro.manifest.training import Training

LANES = 8
"""Draws of 16 bits in one Philox block."""
_LOW = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10


@dataclass(frozen=True)
class Draws:
    """Where the rows of a pass stand in their step, and the step's seed (63 bits)."""

    seed: int
    sequence: Tensor
    """Number of each row's sequence in the step (int32, M)."""
    position: Tensor
    """Its place in that sequence (int32, M)."""

    def on(self, device: torch.device) -> "Draws":
        """Return the same for rows that lie on a device."""
        return Draws(self.seed, self.sequence.to(device), self.position.to(device))


def draws_of(sequences: Sequence[Sequence[int]], training: Training, seed: int) -> list[Draws]:
    """Return the draws of each forward pass that `repro.train.batches.group` makes of a step."""
    lengths = list(map(len, sequences))
    found = []
    for rows in training.passes(lengths):
        if not any(lengths[row] > 1 for row in rows):
            continue
        longest = max(lengths[row] for row in rows)
        padded = training.packing == "padded"
        laid = [(row, longest if padded else lengths[row]) for row in rows]
        numbers = [torch.full((size,), row, dtype=torch.int32) for row, size in laid]
        places = [torch.arange(size, dtype=torch.int32) for _, size in laid]
        found.append(Draws(seed, torch.cat(numbers), torch.cat(places)))
    return found


def counted(draws: Draws, module: int, channels: int, threshold: int) -> Tensor:
    """Return which entries (M×K) dropout keeps: those whose draw of 15 bits reaches a threshold.

    `module`: the number of the adapted module. This is the plain formula; kernels compute the same.
    """
    group_G = torch.arange(-(-channels // LANES), device=draws.sequence.device)
    words = philox(
        draws.seed,
        group_G[None].expand(len(draws.sequence), -1),
        draws.position[:, None].long(),
        draws.sequence[:, None].long(),
        torch.tensor(module, device=group_G.device),
    )
    halves = [part for word in words for part in (word & 0x7FFF, (word >> 16) & 0x7FFF)]
    drawn_MK = torch.stack(halves, dim=-1).flatten(1)[:, :channels]
    return drawn_MK >= threshold


def philox(seed: int, *counters: Tensor) -> list[Tensor]:
    """Return the four words (0 to 2³²−1, as int64) of each block of four counters."""
    words = [*torch.broadcast_tensors(*counters)]
    keys = [seed & _LOW, seed >> 32 & _LOW]
    for _ in range(_ROUNDS):
        # A product of two words may pass 2⁶³: its bits are right, and the sign is masked away.
        first, second = words[0] * _MULTIPLIERS[0], words[2] * _MULTIPLIERS[1]
        words = [
            (second >> 32 & _LOW) ^ words[1] ^ keys[0],
            second & _LOW,
            (first >> 32 & _LOW) ^ words[3] ^ keys[1],
            first & _LOW,
        ]
        keys = [(key + step) & _LOW for key, step in zip(keys, _WEYL, strict=True)]
    return words
