"""Keep the memory that a training step frees: the next step asks for the same again.

glibc hands every large block back to the system when it is freed, and the system fills it with zeros, page by page, when
it is asked for anew. Of a training step on a CPU that is an eighth (DECISIONS.md).
"""

import ctypes

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD = -1, -2, -3
"""Names of glibc's parameters (mallopt(3))."""
LARGEST = 2**30
"""Bytes of the largest block that is kept."""


def keep_freed_memory() -> None:
    """Tell the allocator of this process to give nothing back: once models are loaded. Without glibc it does nothing."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(MMAP_THRESHOLD, LARGEST)
        mallopt(TRIM_THRESHOLD, 2**31 - 1)
        mallopt(TOP_PAD, 2**26)
