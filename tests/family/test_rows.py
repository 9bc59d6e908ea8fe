"""Chunked rows are the rows, whatever their shape."""

import numpy as np

from etamu.family.rows import ROWS, in_chunks, log_sum


def test_chunks_never_exceed_the_limit_and_cover_every_row():
    sizes = []

    def double(x):
        sizes.append(x.size)
        return 2.0 * x

    x = np.arange(2.0 * ROWS + 5.0).reshape(-1, 1)
    assert np.array_equal(in_chunks(double, x), 2.0 * x)
    assert max(sizes) == ROWS
    assert sum(sizes) == x.size


def test_rows_not_asked_for_are_nan_and_never_computed():
    assert np.array_equal(in_chunks(np.log, [1.0, -1.0], where=[True, False]), [0.0, np.nan], equal_nan=True)
    assert np.isnan(in_chunks(np.log, -1.0, where=False))


def test_log_sum_neither_overflows_nor_vanishes():
    assert np.allclose(
        log_sum(np.array([[900.0, 900.0], [-900.0, -900.0]])), np.log(2) + np.array([900.0, -900.0])
    )
