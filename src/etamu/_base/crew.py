"""Tasks side by side, by whoever has threads: rooms that know of no executor leave its threads work.

May import: numpy, the standard library.
Read next: `etamu.execute.threads`, which lends its threads during a fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Task = Callable[[], Any]
Crew = Callable[[Sequence[Task]], object]
R = TypeVar("R")

PART = 1 << 17
"""Rows of a part: to read a column of so many numbers takes as long as to hand them to another thread."""

_crew: ContextVar[Crew | None] = ContextVar("_crew", default=None)
"""Who does tasks side by side; a thread of the crew has none of its own."""


@contextmanager
def lent(crew: Crew) -> Iterator[None]:
    """Let a crew do within a `with` what falls into several tasks."""
    token = _crew.set(crew)
    try:
        yield
    finally:
        _crew.reset(token)


def done(tasks: Sequence[Task]) -> None:
    """Do tasks, of which none waits for another, side by side where somebody lends threads.

    Examples
    --------
    >>> seen = []
    >>> done([lambda: seen.append(1), lambda: seen.append(2)])
    >>> seen
    [1, 2]
    """
    crew = _crew.get()
    if crew is not None and len(tasks) > 1:
        crew(tasks)
        return
    for task in tasks:
        task()


def stretches(n: int, rows: int = PART) -> list[slice]:
    """Cut 0, …, n - 1 into stretches of about so many rows, which do not depend on who works on them.

    Examples
    --------
    >>> stretches(5, 2), stretches(0)
    ([slice(0, 2, None), slice(2, 5, None)], [slice(0, 0, None)])
    """
    count = max(n // rows, 1)
    edges = [n * k // count for k in range(count + 1)]
    return [slice(*ends) for ends in pairwise(edges)]


def answers(compute: Callable[[slice], R], n: int) -> list[R]:
    """Compute something of every stretch of n rows, side by side, and return the answers in order.

    Examples
    --------
    >>> answers(lambda rows: rows.stop, 9)
    [9]
    """
    if n < 2 * PART:
        return [compute(slice(0, n))]
    parts = stretches(n)
    found: list[Any] = [None] * len(parts)

    def one(place: int) -> None:
        found[place] = compute(parts[place])

    done([partial(one, place) for place in range(len(parts))])
    return found


def each(compute: Callable[..., Any], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute a number from every number of a column by a ufunc, stretch by stretch, side by side.

    Examples
    --------
    >>> each(np.sqrt, np.array([4.0, 9.0]))
    array([2., 3.])
    """
    out = np.empty_like(values)
    answers(lambda rows: compute(values[rows], out=out[rows]), len(values))
    return out
