"""Tasks are done in any case, and by the threads of a fit where there are some."""

from __future__ import annotations

import threading
from functools import partial

import numpy as np
import pytest

from etamu._base import crew
from etamu.design.verbs import LARGE, some
from etamu.execute.threads import kept


def test_a_crew_does_what_it_is_given() -> None:
    seen: list[int] = []
    given: list[int] = []

    def backwards(tasks):
        given.append(len(tasks))
        for task in reversed(tasks):
            task()

    with crew.lent(backwards):
        crew.done([partial(seen.append, number) for number in range(3)])
    crew.done([partial(seen.append, 9)])
    assert (seen, given) == ([2, 1, 0, 9], [3])


def test_threads_that_are_kept_are_lent_and_an_error_in_a_task_comes_out(monkeypatch) -> None:
    monkeypatch.setenv("ETAMU_THREADS", "2")
    names: set[str] = set()
    with kept():
        crew.done([lambda: names.add(threading.current_thread().name)] * 4)
        with pytest.raises(ZeroDivisionError):
            crew.done([lambda: None, lambda: 1 // 0])
    assert threading.main_thread().name not in names


@pytest.mark.parametrize("shape", [(3000, 100), (400_000,)], ids=str)
def test_rows_are_the_same_whoever_copies_them(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(1)
    values = rng.standard_normal(shape)
    index = np.sort(rng.integers(0, len(values), 2 * LARGE // (values.nbytes // len(values))))
    alone = some(values, index)
    with kept():
        together = some(values, index)
    assert np.array_equal(alone, values[index])
    assert np.array_equal(together, alone)
    with pytest.raises(IndexError):
        some(values, index + len(values))
    assert np.array_equal(some(values, index - len(values)), alone)
