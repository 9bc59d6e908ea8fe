from __future__ import annotations

import numpy as np
import pytest

from etamu._base.kernel import kernel
from etamu.design import twin
from etamu.design.verbs import contiguous, readable, readable_codes, verbs_for


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
