"""The tasks: what is fitted, at which size, and what must be reached.

May import: benchmarks.problem, benchmarks.dense, benchmarks.motor.
Read next: `benchmarks.run`, which runs them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from benchmarks import dense, motor
from benchmarks.problem import Dense, Problem

EVERYBODY = ("etamu", "glum", "statsmodels", "scikit-learn", "rustystats", "R")


@dataclass(frozen=True, slots=True)
class Target:
    """What a task must reach: a rival's time over ours, or ours over something, whichever is named.

    Parameters
    ----------
    rival : str
        Library of the ratio, "limit" for the machine's, a task's name for that task's time of etamu.
    at_least, at_most : float, optional
        Bound of rival's time / our time, and of our time / rival's.
    """

    rival: str
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One row of the table.

    Parameters
    ----------
    name, title : str
    family, link : str
        In the words of etamu.
    make : callable
        rows -> problem.
    rows, quick : int
        Rows of the task, and of its rehearsal with QUICK=1.
    targets : tuple of Target
    libraries : tuple of str
    summary : bool
        Whether a summary is printed within the time.
    first : bool
        Whether the first call of a fresh process is timed too.
    inner : int
        Fits per timing, so that the clock's grain does not matter.
    memory_mb : float, optional
        Most memory above the input that is allowed, beside a p by p matrix.
    """

    name: str
    title: str
    family: str
    link: str
    make: Callable[[int], Problem]
    rows: int
    quick: int
    targets: tuple[Target, ...] = ()
    libraries: tuple[str, ...] = EVERYBODY
    summary: bool = False
    first: bool = False
    inner: int = 1
    memory_mb: float | None = 64.0


def _logistic(columns: int, rows: int) -> Dense:
    return dense.logistic(rows, columns)


def _poisson(columns: int, rows: int) -> Dense:
    return dense.poisson(rows, columns)


def _crossed(rows: int) -> Problem:
    share = 1 if rows >= 1_000_000 else 10
    return dense.crossed(rows, 3_000 // share, 300 // share, 5)


TEN = Target("glum", at_least=10.0)

TASKS = (
    Task(
        "logistic-dense", "Logistic, dense", "bernoulli", "logit", partial(_logistic, 30),
        500_000, 20_000, (TEN, Target("limit", at_most=2.0)),
    ),
    Task(
        "poisson-dense", "Poisson, dense", "poisson", "log", partial(_poisson, 100),
        200_000, 10_000, (TEN, Target("limit", at_most=1.7)),
    ),
    Task(
        "logistic-narrow", "Logistic, narrow", "bernoulli", "logit", partial(_logistic, 6),
        3_000_000, 100_000, (TEN, Target("limit", at_most=2.5)),
    ),
    Task(
        "poisson-wide", "Poisson, wide", "poisson", "log", partial(_poisson, 500),
        30_000, 5_000, (TEN,),
    ),
    Task(
        "motor-mixed", "Motor insurance, mixed", "poisson", "log", motor.mixed,
        motor.POLICIES, 40_000, (TEN,),
    ),
    Task(
        "motor-text", "The same from text columns", "poisson", "log", partial(motor.mixed, text=True),
        motor.POLICIES, 40_000, (Target("motor-mixed", at_most=2.0),), memory_mb=None,
    ),
    Task(
        "motor-banded", "Motor insurance, banded", "poisson", "log", motor.banded,
        motor.POLICIES, 40_000, (TEN,),
    ),
    Task(
        "gamma-severity", "Gamma severity", "gamma", "log", motor.severity,
        25_000, 6_000, (Target("glum", at_least=5.0),),
    ),
    Task(
        "high-cardinality", "High cardinality", "poisson", "log", _crossed,
        1_000_000, 50_000, (TEN,), memory_mb=1_000.0,
    ),
    Task(
        "small", "Small, fit and summary", "bernoulli", "logit", dense.small,
        1_000, 1_000, (Target("statsmodels", at_least=4.0), Target("R", at_least=1.0)),
        summary=True, first=True, inner=20,
    ),
    Task(
        "derived-family", "Derived family", "poisson", "log", partial(_poisson, 30),
        500_000, 20_000, (Target("etamu", at_most=1.3),), ("etamu", "etamu, stated family"),
    ),
)  # fmt: skip
"""The table of the benchmarks, in the order in which it is printed."""

BY_NAME = {task.name: task for task in TASKS}

MOST_MS = {"warm": 3.0, "first": 8.0}
"""Most milliseconds that the small task may take."""
