"""Flags that are all one are counted without a look at every row."""

from __future__ import annotations

import numpy as np
import pytest

from etamu._base.flags import all_set, are_all, count


@pytest.mark.parametrize("flags", [[], [True], [False], [True, False, True], [True, True]], ids=str)
def test_flags_are_counted(flags: list[bool]) -> None:
    array = np.array(flags, dtype=bool)
    assert count(array) == sum(flags)
    assert are_all(array) == all(flags)


@pytest.mark.parametrize("n", [0, 1, 10**9])
def test_flags_that_are_all_set_take_no_memory(n: int) -> None:
    assert count(all_set(n)) == n
    assert are_all(all_set(n))


def test_one_flag_that_is_not_set_stands_for_all() -> None:
    assert count(np.broadcast_to(np.False_, 7)) == 0
