"""Cholesky as a value, triangles that add, and which columns are aliased."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.arrow import Arrow
from etamu._base.types import Array
from etamu.solve.factor import (
    cholesky,
    clearly_independent,
    combine,
    from_triangle,
    independent_columns,
    least_squares,
    lifted,
    positive_definite,
    triangle,
)


def rows(n: int = 40, p: int = 5, seed: int = 0) -> Array:
    return np.random.default_rng(seed).normal(size=(n, p))


@pytest.mark.parametrize("units", [np.ones(5), 10.0 ** np.arange(-100, 150, 50)])
def test_both_factors_are_the_same_matrix(units: Array) -> None:
    x = rows() * units
    truth = np.linalg.inv(rows().T @ rows()) / np.multiply.outer(units, units)
    for factor in (cholesky(x.T @ x), from_triangle(triangle(x))):
        assert factor is not None
        np.testing.assert_allclose(factor.inverse(), truth, rtol=1e-11)
        np.testing.assert_array_equal(factor.inverse(), factor.inverse().T)
        solved = factor.solve(x.T @ x) * np.multiply.outer(units, 1 / units)
        np.testing.assert_allclose(solved, np.eye(5), atol=1e-11)
        logdet = np.linalg.slogdet(rows().T @ rows()).logabsdet + 2 * np.log(units).sum()
        assert factor.logdet == pytest.approx(logdet, rel=1e-12)


def test_whitened_rows_have_the_length_of_the_quadratic_form() -> None:
    x = rows()
    factor = cholesky(x.T @ x)
    assert factor is not None
    forms = np.einsum("ij,jk,ik->i", x, factor.inverse(), x)
    np.testing.assert_allclose((factor.whiten(x) ** 2).sum(axis=1), forms, rtol=1e-12)


def test_the_condition_estimate_has_the_right_size() -> None:
    x = rows()
    x[:, 4] = x[:, 3] + 1e-5 * x[:, 4]
    factor = from_triangle(triangle(x))
    truth = np.linalg.cond(x / np.linalg.norm(x, axis=0))
    assert truth / 10 <= factor.condition <= truth * 10


def test_the_units_of_the_columns_do_not_make_a_matrix_singular() -> None:
    assert positive_definite(np.diag([1e-200, 1.0, 1e200]))


@pytest.mark.parametrize(
    "matrix",
    [
        np.array([[1.0, 2.0], [2.0, 1.0]]),
        np.array([[1.0, 1.0], [1.0, 1.0 + 1e-15]]),
        np.array([[0.0, 0.0], [0.0, 1.0]]),
        np.array([[np.nan, 0.0], [0.0, 1.0]]),
        -np.eye(2),
    ],
)
def test_what_is_no_metric_is_refused(matrix: Array) -> None:
    assert not positive_definite(matrix)


def test_a_lifted_matrix_is_positive_definite_and_keeps_what_was() -> None:
    indefinite = np.array([[2.0, 3.0, 0.0], [3.0, 2.0, 0.0], [0.0, 0.0, 0.0]])
    inverse = lifted(indefinite).inverse()
    assert np.all(np.linalg.eigvalsh(inverse) > 0)
    x = rows()
    np.testing.assert_allclose(lifted(x.T @ x).inverse(), np.linalg.inv(x.T @ x), rtol=1e-10)


def test_triangles_add_in_any_grouping() -> None:
    x = rows()
    whole = triangle(x)
    np.testing.assert_allclose(whole.T @ whole, x.T @ x, rtol=1e-12, atol=1e-12)
    assert np.all(np.diag(whole) >= 0)
    thirteen = triangle(x[:3])
    for piece in np.array_split(x[3:], 12):
        thirteen = combine(thirteen, triangle(piece))
    np.testing.assert_allclose(thirteen, whole, rtol=1e-11, atol=1e-12)


def test_fewer_rows_than_columns_make_a_square_triangle() -> None:
    upper = triangle(rows(2, 4))
    assert upper.shape == (4, 4)
    np.testing.assert_allclose(upper.T @ upper, rows(2, 4).T @ rows(2, 4), atol=1e-12)


def dummies() -> Array:
    codes = np.arange(40) % 3
    return np.column_stack([np.ones(40), *(codes == level for level in range(3)), rows()[:, 0]]).astype(float)


@pytest.mark.parametrize(
    ("x", "kept"),
    [
        (rows()[:, [0, 1, 0, 2]], [True, True, False, True]),
        (dummies(), [True, True, True, False, True]),
        (dummies()[:, [1, 2, 3, 0, 4]], [True, True, True, False, True]),
        (
            np.column_stack([rows()[:, :2], rows()[:, 0] - 2 * rows()[:, 1], rows()[:, 3]]),
            [True, True, False, True],
        ),
        (np.column_stack([np.zeros(40), rows()[:, 0]]), [False, True]),
        (rows(3, 5), [True, True, True, False, False]),
        (np.zeros((40, 0)), []),
    ],
    ids=["duplicate", "dummies", "constant last", "combination", "zeros", "wide", "none"],
)
def test_earlier_columns_win(x: Array, kept: list[bool]) -> None:
    assert independent_columns(x).tolist() == kept
    assert independent_columns(triangle(x)).tolist() == kept
    assert independent_columns(x * 10.0 ** np.linspace(-60, 60, x.shape[1])).tolist() == kept
    assert np.linalg.matrix_rank(x) == sum(kept) if kept else True


@pytest.mark.parametrize(("distance", "kept"), [(1e-9, True), (1e-13, False)])
def test_the_tolerance_is_relative_to_the_column(distance: float, kept: bool) -> None:
    x = rows()
    near = np.column_stack([x[:, 0], x[:, 0] + distance * x[:, 1], x[:, 2]])
    assert independent_columns(triangle(near)).tolist() == [True, kept, True]
    # A kept near-alias is still told apart from its duplicate.
    again = np.column_stack([near, near[:, 1]])
    assert independent_columns(triangle(again)).tolist() == [True, kept, True, False]


def test_a_large_mean_is_not_an_alias_of_the_constant() -> None:
    years = np.column_stack([np.ones(40), 1e8 + np.arange(40.0)])
    assert independent_columns(triangle(years)).tolist() == [True, True]


def test_many_aliases_are_found_at_once() -> None:
    base = rows(300, 30)
    x = np.hstack([base, base @ rows(30, 60, seed=1), rows(300, 10, seed=2)])
    assert independent_columns(triangle(x)).tolist() == [True] * 30 + [False] * 60 + [True] * 10


def test_a_gram_decides_only_what_is_clear() -> None:
    x = rows()
    assert clearly_independent(x.T @ x)
    close = np.column_stack([x, x[:, 0] + 1e-5 * rows(seed=3)[:, 0]])
    assert not clearly_independent(close.T @ close)
    assert independent_columns(triangle(close)).all()


def spined(empty):
    """An arrow of three levels beside one number; the first level may have no weight at all."""
    diagonal, side = (
        np.array([0.0 if empty else 2.0, 3.0, 4.0]),
        np.array([[0.0 if empty else 1.0], [1.0], [1.0]]),
    )
    return Arrow(np.arange(3), np.array([3]), diagonal, side, np.array([[9.0]]))


@pytest.mark.parametrize("kind", [np.asarray, lambda arrow: arrow], ids=["dense", "arrow"])
def test_least_squares_solve_what_can_be_solved(kind):
    matrix = kind(spined(empty=False))
    right = np.arange(1.0, 5.0)
    assert_allclose(np.asarray(matrix) @ least_squares(matrix, right), right, rtol=1e-12)


@pytest.mark.parametrize("kind", [np.asarray, lambda arrow: arrow], ids=["dense", "arrow"])
def test_least_squares_of_a_singular_matrix_come_near(kind):
    matrix = kind(spined(empty=True))
    right = np.array([0.0, 2.0, 3.0, 4.0])
    assert_allclose(np.asarray(matrix) @ least_squares(matrix, right), right, atol=1e-6)


def test_an_arrow_shows_independent_columns_as_its_matrix_does():
    assert clearly_independent(spined(empty=False))
    assert clearly_independent(np.asarray(spined(empty=False)))
    assert not clearly_independent(spined(empty=True))
