"""The Gram of a wide dense block: its share of the machine's dgemm rate, in useful flops, on one core.

May import: numpy, etamu.
Read next: `benchmarks.limit` for the rate it is compared with.

usage: OPENBLAS_NUM_THREADS=1 python -m benchmarks.gram      (prints flops per second)
"""

from __future__ import annotations

import numpy as np

from benchmarks.limit import fastest
from etamu.design.blocks import Dense

ROWS, COLUMNS = 8_192, 500


def flops_per_second() -> float:
    """Measure X'WX, the packing included; n p^2 flops are useful: half mirrors the other."""
    rng = np.random.default_rng(0)
    X, w = rng.standard_normal((ROWS, COLUMNS)), rng.random(ROWS)
    return ROWS * COLUMNS**2 / fastest(lambda: Dense((X,)).gram(w))


if __name__ == "__main__":
    print(flops_per_second())
