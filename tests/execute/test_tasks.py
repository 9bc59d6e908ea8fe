"""Answers come in the order of the tasks, whoever finishes first, and only a few wait at once."""

from __future__ import annotations

import pytest

from etamu.execute.tasks import in_order


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_order_is_that_of_the_tasks(threads: int) -> None:
    assert list(in_order(lambda number: number * number, range(40), threads)) == [k * k for k in range(40)]


def test_an_error_is_that_of_its_task() -> None:
    def fail(number: int) -> int:
        if number == 3:
            raise ValueError("three")
        return number

    with pytest.raises(ValueError, match="three"):
        list(in_order(fail, range(10), 2))


def test_tasks_are_asked_for_as_they_are_needed() -> None:
    asked = []

    def tasks():
        for number in range(100):
            asked.append(number)
            yield number

    found = in_order(lambda number: number, tasks(), 2)
    assert next(found) == 0
    assert len(asked) < 10
    found.close()
