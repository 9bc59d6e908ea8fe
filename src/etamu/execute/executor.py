"""The protocol by which everything about many rows composes: reduce what adds, map rows in order.

May import: `etamu._base`, `etamu.design`; never sums, families or solvers.
Read next: `etamu.execute.threads`, the executor for data in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Protocol, Self, TypeVar


class Adds(Protocol):
    """Anything with a sum; where it has `absorb` too, that may use its left side up."""

    def __add__(self, other: Self, /) -> Self:
        """Return the sum."""


A = TypeVar("A", bound=Adds)


class Executor(Protocol):
    """Runs a function over chunks of rows."""

    def reduce(self, fn: Callable[[Any], A]) -> A:
        """Add up fn(chunk) over all chunks, in an order fixed by the data."""

    def over(self, whole: Any) -> Executor:
        """Return the executor of other rows, visited in the same way."""

    def map(self, fn: Callable[[Any], Any], sink: Callable[[Any], None]) -> None:
        """Hand fn(chunk) to the sink, chunk by chunk in order."""


def added_in_order(parts: Iterable[A]) -> A:
    """Add parts as a balanced tree over their positions, holding only log2(n) of them.

    The tree depends on the number of parts alone, so the same parts give the same bits whoever
    computed them and whenever they arrived. Pairwise sums also lose fewer digits (Higham 1993).

    Examples
    --------
    >>> added_in_order(iter([1.0, 2.0, 3.0]))
    6.0
    """
    pending: list[tuple[int, A]] = []
    for part in parts:
        level, current = 0, part
        while pending and pending[-1][0] == level:
            current = _sum(pending.pop()[1], current)
            level += 1
        pending.append((level, current))
    total = pending.pop()[1]
    while pending:
        total = _sum(pending.pop()[1], total)
    return total


def _sum(left: Any, right: Any) -> Any:
    """Add two parts, of which nobody else knows."""
    return left.absorb(right) if hasattr(left, "absorb") else left + right
