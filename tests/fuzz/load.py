"""Work for threads: rows enough that a fit uses several, and the bits of what it answers.

Read next: tests/fuzz/test_threads.py, whose child process imports this and nothing more.
"""

from __future__ import annotations

from typing import Any

import numpy as np


def long_table(rows: int = 120_000) -> dict[str, Any]:
    """Draw enough rows that a fit uses threads of its own."""
    rng = np.random.default_rng(4)
    x = rng.normal(size=rows)
    return {"x": x, "g": rng.integers(0, 9, rows), "y": rng.poisson(np.exp(0.2 * x)).astype(float)}


def bits(fit: Any) -> bytes:
    """Return everything that has to be the same."""
    return b"".join(np.asarray(part).tobytes() for part in (fit.coef, fit.se, fit.deviance, fit.loglik))
