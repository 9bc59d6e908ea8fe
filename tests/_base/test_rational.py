"""Matrices of fractions: exact until they are rounded."""

from __future__ import annotations

import numpy as np

from etamu._base.rational import exact, inverse, product, rounded


def test_a_matrix_times_its_inverse_is_one_in_every_digit() -> None:
    rows = np.random.default_rng(1).normal(size=(5, 5)) * 10.0 ** np.arange(-150, 100, 50)
    matrix = [exact(row) for row in rows]
    back = inverse(matrix)
    assert back is not None
    assert np.array_equal(np.stack([rounded(row) for row in product(matrix, back)]), np.eye(5))


def test_a_matrix_without_an_inverse_has_none() -> None:
    assert inverse([exact(np.array([1.0, 2.0])), exact(np.array([2.0, 4.0]))]) is None


def test_a_pivot_of_zero_is_passed_over() -> None:
    back = inverse([exact(np.array([0.0, 1.0])), exact(np.array([1.0, 0.0]))])
    assert back is not None
    assert rounded(back[0]).tolist() == [0.0, 1.0]


def test_what_is_beyond_float64_is_infinite() -> None:
    large = exact(np.array([1e308, -1e308]))
    assert rounded([each * 10 for each in large]).tolist() == [np.inf, -np.inf]
