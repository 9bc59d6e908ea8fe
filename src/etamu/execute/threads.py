"""The executor for data in memory: fixed row blocks, any number of threads, the same bits.

May import: `etamu._base`, `etamu.design`, and of this room executor, blas, halt.
Read next: `etamu.sums` for what usually runs here.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

from etamu._base.crew import Task, lent
from etamu._base.facts import dataclass
from etamu.design.chunk import Chunk
from etamu.execute.blas import held
from etamu.execute.executor import A, Tree, added_in_order
from etamu.execute.halt import halting, heed

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

CELLS = 1 << 20
"""Numbers per block, and up to `LARGE` times as many where that leaves `PARTS` blocks.

A block costs some 0.1 ms of Python, the work of CELLS numbers a millisecond.
"""
LARGE, PARTS = 4, 8
FEWEST, MOST = 1 << 12, 1 << 18
"""Rows per block at least and at most."""
SHARE = 8
"""Numbers that a block may bring per row it has."""
SEVERAL = 18
"""Two to this power are numbers enough for a block where there are few in all: several threads have work."""
DEEP = 5
"""Rows per column that a block has at least where rows are few: what it brings is a matrix in any case."""
ALONE = 50_000
"""Up to so many numbers one thread is done before others would have started."""
UNREAD = 500_000
"""The same where they are only read and checked."""
DEAR = 2_000_000
"""From so many on a pass takes milliseconds, more than beginning it elsewhere; a sample pays there."""

R = TypeVar("R")


def available() -> int:
    """Return how many threads may run: ETAMU_THREADS, else the cores this process may use.

    Examples
    --------
    >>> available() >= 1
    True
    """
    asked = os.environ.get("ETAMU_THREADS", "")
    if asked.isdecimal() and int(asked) > 0:
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_kept: ContextVar[dict[int, ThreadPoolExecutor] | None] = ContextVar("_kept", default=None)
"""Pools by their number of threads, where `kept` holds some."""


@contextmanager
def kept(columns: int = 0) -> Iterator[None]:
    """Keep threads from one pass for the next within a `with`; starting them costs more than a small pass.

    Parameters
    ----------
    columns : int
        Of the largest matrix that will be factorised, for `held`.

    Examples
    --------
    >>> import threading
    >>> before = threading.active_count()
    >>> with kept():
    ...     pass
    >>> threading.active_count() == before
    True
    """
    if _kept.get() is not None:
        yield
        return
    pools: dict[int, ThreadPoolExecutor] = {}
    token = _kept.set(pools)
    try:
        with held(columns), lent(_side_by_side):
            yield
    finally:
        _kept.reset(token)
        for pool in pools.values():
            pool.shutdown()


def worthwhile(cells: int, columns: int = 0, *, least: int = ALONE) -> AbstractContextManager[None]:
    """Keep threads within a `with` where so many numbers, more than `least`, have work for them.

    Examples
    --------
    >>> with worthwhile(100):
    ...     pass
    """
    return kept(columns) if cells > least else nullcontext()


def _side_by_side(tasks: Sequence[Task]) -> None:
    """Do tasks by the threads that are kept."""
    threads = available()
    if threads == 1 or len(tasks) == 1:
        for task in tasks:
            task()
        return
    with _workers(threads) as pool:
        for begun in [pool.submit(task) for task in tasks]:
            begun.result()


@contextmanager
def _workers(threads: int) -> Iterator[ThreadPoolExecutor]:
    """Yield a pool: the one that is kept, or one that ends with the `with`."""
    from concurrent.futures import ThreadPoolExecutor

    pools = _kept.get()
    if pools is None:
        with held(), ThreadPoolExecutor(threads) as pool:
            yield pool
        return
    if threads not in pools:
        pools[threads] = ThreadPoolExecutor(threads)
    yield pools[threads]


def aside(fn: Callable[[], R]) -> Callable[[], R]:
    """Begin fn() on a thread that is kept, beside what comes next, and return what waits for its answer.

    What it runs may not ask for threads of its own: all of them might be waiting for one another. Where none
    are kept, or there is one processor only, fn itself is returned, to be run when it is asked.

    Examples
    --------
    >>> with kept():
    ...     answer = aside(lambda: 6 * 7)
    ...     answer()
    42
    """
    threads = available()
    if _kept.get() is None or threads == 1:
        return fn
    with _workers(threads) as pool:
        return pool.submit(fn).result


@dataclass(frozen=True, eq=False)
class Threads:
    """Visit the rows of a chunk block by block.

    Parameters
    ----------
    whole : Chunk
        All rows.
    rows : int, optional
        Rows per block; fixes where blocks begin and so the order of every sum. Chosen by what a row holds,
        if not given, and so by the data alone.
    threads : int, optional
        Blocks worked on at once, by default as many as there are cores or ETAMU_THREADS says; never changes a
        bit of the answer.
    """

    whole: Chunk
    rows: int | None = None
    threads: int | None = None

    @cached_property
    def step(self) -> int:
        """Rows per block."""
        if self.rows is not None:
            return self.rows
        wide = max(self.whole.cells // max(len(self.whole), 1), 1)
        # What blocks bring has to be added up: where that is large, blocks are longer.
        enough = max(FEWEST, self.whole.summed // SHARE)
        some = max(CELLS, min(LARGE * CELLS, self.whole.cells // PARTS))
        return min(max(-(-some // wide), 1 << enough.bit_length()), MOST)

    @cached_property
    def parts(self) -> tuple[Chunk, ...]:
        """The blocks in order, views of the whole; no rows at all make one empty block."""
        n = len(self.whole)
        cells = self.whole.cells
        if self.rows is None and max(n, cells) <= 1 << SEVERAL:  # what follows would say so, too
            return (self.whole,)
        some = min(round(cells / (1 << SEVERAL)), 8, max(n * n // (DEEP * max(cells, 1)), 2))
        if n > self.step:
            step = self.step if self.rows is not None else even(n, self.step)
        elif self.rows is None and some > 1 and n * SHARE > some * self.whole.summed:
            step = even(n, -(-n // some))
        else:
            return (self.whole,)
        return tuple(self.whole.rows(at, min(at + step, n)) for at in range(0, n, step))

    def blocks(self) -> Iterator[Chunk]:
        """Yield the blocks in order."""
        yield from self.parts

    def _visits(self) -> Iterator[Chunk]:
        """Yield the blocks in order, each for one visit."""
        return (part.visit() for part in self.parts)

    @property
    def _at_once(self) -> int:
        """How many blocks are worked on at once."""
        return 1 if len(self.parts) == 1 or self.whole.cells <= ALONE else self.threads or available()

    def _results(self, fn: Callable[[Any], R], parts: Iterable[Any]) -> Iterator[R]:
        """Yield fn(part) in the order of the parts."""
        threads = self._at_once
        if threads == 1:
            for part in parts:
                heed()
                yield fn(part)
            return
        with _workers(threads) as pool, halting() as under:
            waiting: deque[Future[R]] = deque()
            try:
                for part in parts:
                    waiting.append(pool.submit(under(partial(fn, part))))
                    # A short queue keeps memory at a few blocks however many there are.
                    if len(waiting) > 2 * threads:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:  # after an interrupt, or an error in a block, what has not begun never does
                for future in waiting:
                    future.cancel()

    def reduce(self, fn: Callable[[Chunk], A]) -> A:
        """Add up fn(block) over all blocks in a fixed tree; workers add what stands beside each other.

        All blocks are handed over at once, as only sums wait: who asks sleeps until the last one is done, and
        takes the processor from no worker to hand over the next.
        """
        if len(self.parts) == 1:
            heed()
            return fn(self.whole.visit())
        threads = self._at_once
        if threads == 1:
            return added_in_order(self._results(fn, self._visits()))
        from concurrent.futures import FIRST_EXCEPTION, wait

        tree = Tree()
        with _workers(threads) as pool, halting() as under:
            blocks = [
                pool.submit(under(partial(_into, tree, fn, numbered)))
                for numbered in enumerate(self._visits())
            ]
            try:
                for block in wait(blocks, return_when=FIRST_EXCEPTION).done:
                    block.result()
            finally:  # after an interrupt, or an error in a block, what has not begun never does
                for block in blocks:
                    block.cancel()
        total: A = tree.total()
        return total

    def over(self, whole: Chunk) -> Threads:
        """Return the executor of other rows."""
        return Threads(whole, self.rows, self.threads)

    def map(self, fn: Callable[[Chunk], Any], sink: Callable[[Any], None]) -> None:
        """Hand fn(block) to the sink in the order of the rows."""
        for result in self._results(fn, self._visits()):
            sink(result)


def _into(tree: Tree, fn: Callable[[Chunk], Any], numbered: tuple[int, Chunk]) -> None:
    """Add fn(block) to a tree, as the part of that number."""
    tree.add(numbered[0], fn(numbered[1]))


def even(n: int, step: int) -> int:
    """Return rows per block, at most `step`, so that blocks are alike and their number is a multiple of 8.

    Of at most eight blocks a power of two: workers then end at the same time.

    Examples
    --------
    >>> even(30_000, 4096), even(3_000_000, 131_072)
    (3750, 125000)
    """
    count = -(-n // step)
    count = 1 << (count - 1).bit_length() if count <= 8 else -(-count // 8) * 8
    return -(-n // count)
