"""BLAS held to one thread while ours run, and put back.

Threads of ours that each start as many threads of a BLAS leave every core with a queue. threadpoolctl knows
how each BLAS is told.

May import: the standard library, threadpoolctl (at the first pool), `etamu._base`.
Read next: `etamu.execute.threads`, which holds it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from etamu._base.triangles import load

_lock = threading.Lock()
_limits: list[Any] = []
"""What the first of those who hold found, and one entry for every other: the last to leave puts it back."""


@lru_cache(maxsize=1)
def _controller(modules: int) -> Any:
    """Find every BLAS; again if modules were loaded since, for one may have brought another."""
    del modules
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def held(columns: int = 0) -> Iterator[None]:
    """Hold every BLAS that is loaded to one thread within a `with`; many may hold it at once.

    Parameters
    ----------
    columns : int
        Of the largest matrix that will be factorised: the LAPACK that does it is loaded before, since one
        that is loaded within comes with threads that nobody holds.

    Examples
    --------
    >>> from threadpoolctl import threadpool_info
    >>> with held():
    ...     {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"} <= {1}
    True
    """
    load(columns)
    with _lock:
        first = not _limits
        limit = _controller(len(sys.modules)).limit(limits=1, user_api="blas") if first else None
        _limits.append(limit)
    try:
        yield
    finally:
        with _lock:
            last = _limits.pop()  # the one that holds a limit lies at the bottom
            if last is not None:
                last.restore_original_limits()
