"""A key-value cache that grows in steps and can drop rows.

A token then does not copy all earlier ones. B sequences, H heads, T tokens so far, D width of a
head.
"""

from typing import Any

import torch
from torch import Tensor
from transformers.cache_utils import DynamicCache, DynamicLayer

STEP = 128  # tokens by which it grows


class _Layer(DynamicLayer):
    """One layer's keys and values, with room for more tokens."""

    used = 0
    room: tuple[Tensor, Tensor]

    def update(
        self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any
    ) -> tuple[Tensor, Tensor]:
        """Add the new tokens (B×H×new×D), and return all tokens' keys and values."""
        end = self.used + key_states.shape[-2]
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
            self.room = (self._made(key_states, end), self._made(value_states, end))
        elif end > self.room[0].shape[-2]:
            before = self.room
            self.room = (self._made(key_states, end), self._made(value_states, end))
            for old, new in zip(before, self.room, strict=True):
                new[:, :, : self.used] = old[:, :, : self.used]
        for room, states in zip(self.room, (key_states, value_states), strict=True):
            room[:, :, self.used : end] = states
        self.used = end
        self.keys, self.values = (room[:, :, :end] for room in self.room)
        return self.keys, self.values

    def batch_select_indices(self, indices: Tensor) -> None:
        """Keep only these rows."""
        self.room = (self.room[0][indices], self.room[1][indices])
        self.keys, self.values = (room[:, :, : self.used] for room in self.room)

    @staticmethod
    def _made(like: Tensor, tokens: int) -> Tensor:
        """Return empty room for this many tokens, rounded up to a full step."""
        rows, heads, _, width = like.shape
        return torch.empty(
            rows, heads, -(-tokens // STEP) * STEP, width, dtype=like.dtype, device=like.device
        )


def new_cache() -> DynamicCache:
    """Return an empty cache for one batch."""
    cache = DynamicCache()
    cache.layer_class_to_replicate = _Layer
    return cache
