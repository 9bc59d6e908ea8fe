"""What a library must offer to be measured, and the table of those that do.

May import: numpy, benchmarks.problem, benchmarks.tasks.
Read next: `benchmarks.rivals.etamu_`, then the rivals, one file each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.problem import Array

MODULES = {
    "etamu": "benchmarks.rivals.etamu_",
    "etamu, stated family": "benchmarks.rivals.etamu_stated",
    "glum": "benchmarks.rivals.glum_",
    "statsmodels": "benchmarks.rivals.statsmodels_",
    "scikit-learn": "benchmarks.rivals.sklearn_",
    "rustystats": "benchmarks.rivals.rustystats_",
    "R": "benchmarks.rivals.r_",
}
"""Name of a library -> module with `version()`, `TOLERANCES` and `prepare(task, problem) -> Runner`."""


class UnsupportedError(Exception):
    """The library has no door for this task; the message says what it lacks."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a fit says: coefficients in the order intercept, terms, and passes over the data where known."""

    coef: Array
    passes: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Runner:
    """A fit made ready: its input lies in memory as the library takes it best.

    Parameters
    ----------
    fit : callable
        tolerance -> whatever the library returns; this is what is timed.
    read : callable
        That -> Answer; not timed.
    clocked : callable, optional
        Answer -> seconds, where the library runs in a process of its own and holds the watch itself.
    """

    fit: Callable[[float | None], Any]
    read: Callable[[Any], Answer]
    clocked: Callable[[Any], float] | None = None
