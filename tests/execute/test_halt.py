"""Work on other threads ends between two of its steps once nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
import pytest

from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.design import Design
from etamu.execute.halt import Halted, halting, heed
from etamu.execute.tasks import in_order
from etamu.execute.threads import Threads

ENOUGH = 10_000
"""Steps of a task that would otherwise go on for ever."""


def until_halted(begun: threading.Event, halted: list[int]) -> None:
    for step in range(ENOUGH):
        begun.set()
        try:
            heed()
        except Halted:
            halted.append(step)
            raise
        threading.Event().wait(0.001)


def test_a_task_on_another_thread_is_halted_when_its_answer_is_given_up() -> None:
    begun, halted = threading.Event(), []

    def tasks() -> Iterator[int]:
        yield 0
        begun.wait(10.0)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(in_order(lambda _: until_halted(begun, halted), tasks(), 2))
    assert len(halted) == 1
    assert halted[0] < ENOUGH - 1


def test_a_replication_is_halted_between_two_of_its_blocks() -> None:
    chunk = Chunk((Predictor(Design((), 8)),), (np.zeros(8),), Weights(), np.arange(8))
    seen: list[int] = []
    with halting() as under:
        task = under(lambda: Threads(chunk, rows=1, threads=1).map(len, seen.append))
        task()
    assert len(seen) == 8
    with pytest.raises(Halted):
        task()
    assert len(seen) == 8
    Threads(chunk, rows=1, threads=1).map(len, seen.append)  # here nobody gave up
    assert len(seen) == 16


def test_what_one_task_works_under_ends_with_it() -> None:
    with halting() as outer:
        with halting() as inner:
            nested = outer(inner(heed))
        with pytest.raises(Halted):
            nested()
        outer(heed)()
    heed()
