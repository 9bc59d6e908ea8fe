"""Many tasks at once, answered in order: for work that is not rows, such as replications of a fit.

May import: the standard library, `etamu.execute.halt`.
Read next: `etamu.execute.threads`, the same for blocks of rows.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from etamu.execute.halt import halting

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")
R = TypeVar("R")


def in_order(fn: Callable[[T], R], tasks: Iterable[T], threads: int) -> Iterator[R]:
    """Yield fn(task) in the order of the tasks, several of them worked on at once.

    Examples
    --------
    >>> list(in_order(lambda number: number**2, range(4), threads=2))
    [0, 1, 4, 9]
    """
    if threads <= 1:
        yield from map(fn, tasks)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(threads) as pool, halting() as under:
        waiting: deque[Future[R]] = deque()
        try:
            for task in tasks:
                waiting.append(pool.submit(under(partial(fn, task))))
                # A short queue keeps memory at a few answers however many tasks there are.
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:  # after an interrupt, or an error in a task, what has not begun never does
            for future in waiting:
                future.cancel()
