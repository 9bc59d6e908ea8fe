from __future__ import annotations

import numpy as np
import pytest

from etamu._base.kernel import kernel
from etamu.design import twin
from etamu.design.verbs import contiguous, readable, readable_codes, some, verbs_for


def test_the_twins_serve_where_the_kernel_cannot_count():
    assert verbs_for(2**31) is twin
    assert verbs_for(2**31 - 1) is (twin if kernel is None else kernel)


@pytest.mark.parametrize("dtype", ["f8", "f4", "i1", "u8", "?"])
def test_a_plain_column_is_read_where_it_lies(dtype):
    column = np.zeros(4, dtype)[::2]
    assert readable(column) is column


@pytest.mark.parametrize("dtype", ["f2", ">f8", ">i4"])
def test_any_other_column_is_copied_once(dtype):
    assert readable(np.arange(3).astype(dtype)).tolist() == [0.0, 1.0, 2.0]
    assert readable_codes(np.arange(3).astype(">i4")).dtype == np.int64


def test_numbers_without_gaps_are_not_copied():
    numbers = np.arange(3.0)
    assert contiguous(numbers) is numbers
    assert contiguous(numbers[::2]).tolist() == [0.0, 2.0]


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("step", [1, 2])
def test_some_rows_are_those_of_the_index(order, step):
    matrix = np.asarray(np.arange(60.0).reshape(20, 3), order=order)[::step]
    index = np.array([0, 3, 3, 9])
    assert np.array_equal(some(matrix, index), matrix[index])
    assert np.array_equal(some(matrix[:, 1], index), matrix[index, 1])


def test_a_number_that_is_the_same_in_all_rows_stays_one_number():
    few = some(np.broadcast_to(2.5, 9), np.array([1, 5]))
    assert few.strides == (0,)
    assert few.tolist() == [2.5, 2.5]
