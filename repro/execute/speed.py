"""How fast one core of this machine multiplies matrices: what an estimate of processor time is scaled by."""

from time import process_time

import numpy as np

WIDTH = 1024
SECONDS = 0.1


def multiplications() -> float:
    """float32 operations per second of one core. Processor time, so other work on the machine hardly shows."""
    a = np.ones((WIDTH, WIDTH), dtype=np.float32)
    a @ a  # the first product sets the library up
    begin, products = process_time(), 0
    while process_time() - begin < SECONDS:
        a @ a
        products += 1
    return 2 * WIDTH**3 * products / (process_time() - begin)
