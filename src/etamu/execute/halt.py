"""Work on other threads that ends when nobody waits for it any more: after an interrupt or an error.

A thread cannot be stopped from outside. What runs there for long asks between its steps whether it is still
wanted; a block of rows is short enough to be finished.

May import: the standard library.
Read next: `etamu.execute.tasks` and `etamu.execute.threads`, which both wait and ask.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

R = TypeVar("R")

_here = threading.local()
"""What the thread works under."""


class Halted(BaseException):
    """Raised in a thread whose answer nobody waits for; no error, and nobody sees it."""


@contextmanager
def halting() -> Iterator[Callable[[Callable[[], R]], Callable[[], R]]]:
    """Yield what makes a task one that is halted when the `with` is left.

    Examples
    --------
    >>> with halting() as under:
    ...     task = under(lambda: heed() or 42)
    ...     task()
    42
    >>> task()
    Traceback (most recent call last):
        ...
    etamu.execute.halt.Halted
    """
    left = threading.Event()

    def under(task: Callable[[], R]) -> Callable[[], R]:
        def halted() -> R:
            outer = getattr(_here, "left", None)
            _here.left = left
            try:
                return task()
            finally:
                _here.left = outer

        return halted

    try:
        yield under
    finally:
        left.set()


def heed() -> None:
    """Raise `Halted` on a thread whose answer nobody waits for; elsewhere do nothing.

    Examples
    --------
    >>> heed()
    """
    left = getattr(_here, "left", None)
    if left is not None and left.is_set():
        raise Halted
