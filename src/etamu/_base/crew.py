"""Tasks side by side, by whoever has threads: rooms that know of no executor leave its threads work.

May import: the standard library.
Read next: `etamu.execute.threads`, which lends its threads during a fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Task = Callable[[], Any]
Crew = Callable[[Sequence[Task]], object]

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
    if crew is not None:
        crew(tasks)
        return
    for task in tasks:
        task()
