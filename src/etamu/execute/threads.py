"""The executor for data in memory: fixed row blocks, any number of threads, the same bits.

May import: `etamu._base`, `etamu.design`, `etamu.execute.executor`.
Read next: `etamu.sums` for what usually runs here.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from etamu.design.chunk import Chunk
from etamu.execute.executor import A, added_in_order

ROWS = 16_384
"""Rows per block: 16,384 rows of 30 float64 columns are 4 MB, about one core's share of cache."""

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Threads:
    """Visit the rows of a chunk block by block.

    Parameters
    ----------
    whole : Chunk
        All rows.
    rows : int
        Rows per block; fixes where blocks begin and so the order of every sum.
    threads : int
        Blocks worked on at once; never changes a bit of the answer.
    """

    whole: Chunk
    rows: int = ROWS
    threads: int = os.cpu_count() or 1

    def blocks(self) -> Iterator[Chunk]:
        """Yield the blocks in order; no rows at all make one empty block."""
        n = len(self.whole)
        for start in range(0, max(n, 1), self.rows):
            yield self.whole.rows(start, min(start + self.rows, n))

    def _results(self, fn: Callable[[Chunk], R]) -> Iterator[R]:
        if self.threads == 1 or len(self.whole) <= self.rows:
            yield from map(fn, self.blocks())
            return
        with ThreadPoolExecutor(self.threads) as pool:
            waiting: deque[Future[R]] = deque()
            for block in self.blocks():
                waiting.append(pool.submit(fn, block))
                # A short queue keeps memory at a few blocks however many there are.
                if len(waiting) > 2 * self.threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()

    def reduce(self, fn: Callable[[Chunk], A]) -> A:
        """Add up fn(block) over all blocks in a fixed tree."""
        return added_in_order(self._results(fn))

    def map(self, fn: Callable[[Chunk], Any], sink: Callable[[Any], None]) -> None:
        """Hand fn(block) to the sink in the order of the rows."""
        for result in self._results(fn):
            sink(result)
