"""The protocol by which everything about many rows composes: reduce what adds, map rows in order.

May import: `etamu._base`, `etamu.design`; never sums, families or solvers.
Read next: `etamu.execute.threads`, the executor for data in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field
from threading import Lock
from typing import Any, Protocol, Self, TypeVar

from etamu._base.facts import dataclass


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


@dataclass(frozen=True, slots=True, eq=False)
class Tree:
    """Parts added as a balanced tree over their numbers, by whoever brings them and whenever.

    The tree depends on the number of parts alone, so the same parts give the same bits. Pairwise sums also
    lose fewer digits (Higham 1993). What stands beside each other is added at once: of parts that come
    nearly in order only log2(n) are held.
    """

    waiting: dict[tuple[int, int], Any] = field(default_factory=dict)
    """Sums of 2^level parts, by level and place, whose neighbour has not come."""
    lock: Lock = field(default_factory=Lock)

    def add(self, number: int, part: Any) -> None:
        """Add the part of a number, with all that now is complete."""
        level, place, current = 0, number, part
        while True:
            with self.lock:
                beside = self.waiting.pop((level, place ^ 1), _NOBODY)
                if beside is _NOBODY:
                    self.waiting[level, place] = current
                    return
            current = _sum(beside, current) if place % 2 else _sum(current, beside)
            level, place = level + 1, place // 2

    def total(self) -> Any:
        """Return the sum of all parts: what is left without a neighbour, the last ones first."""
        left = [self.waiting[at] for at in sorted(self.waiting, reverse=True)]
        current = left.pop()
        while left:
            current = _sum(left.pop(), current)
        return current


_NOBODY = object()


def added_in_order(parts: Iterable[A]) -> A:
    """Add parts that come in order, as `Tree` says.

    Examples
    --------
    >>> added_in_order(iter([1.0, 2.0, 3.0]))
    6.0
    """
    tree = Tree()
    for number, part in enumerate(parts):
        tree.add(number, part)
    total: A = tree.total()
    return total


def _sum(left: Any, right: Any) -> Any:
    """Add two parts, of which nobody else knows."""
    return left.absorb(right) if hasattr(left, "absorb") else left + right
