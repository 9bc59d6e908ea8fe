"""Small triangles agree with LAPACK, compiled or not."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base import triangles
from etamu._base.kernel import kernel

WAYS = [
    pytest.param(None, id="lapack"),
    pytest.param(kernel, id="compiled", marks=pytest.mark.skipif(kernel is None, reason="not compiled")),
]


@pytest.fixture(params=WAYS, autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(triangles, "kernel", request.param)


def positive_definite(size: int) -> np.ndarray:
    rows = np.random.default_rng(size).standard_normal((2 * size + 3, size))
    return rows.T @ rows


@pytest.mark.parametrize("size", [0, 1, 2, 7, 64, 65, 75, 130, 513, 1025])
def test_a_factor_multiplies_back_and_solves(size: int) -> None:
    matrix = positive_definite(size)
    upper = triangles.cholesky(matrix)
    assert upper is not None
    assert_allclose(upper, np.triu(upper), atol=0)
    assert_allclose(upper.T @ upper, matrix, rtol=1e-12, atol=1e-12 * (1 + size))
    assert_allclose(triangles.inverted(upper) @ upper, np.eye(size), atol=1e-11)
    for right in (np.arange(1.0, size + 1), np.asfortranarray(np.arange(3.0 * size).reshape(size, 3))):
        before = right.copy()
        assert_allclose(upper @ triangles.solved(upper, right), right, atol=1e-9)
        assert_allclose(upper.T @ triangles.solved(upper, right, transposed=True), right, atol=1e-9)
        assert np.array_equal(right, before)


@pytest.mark.parametrize("size", [5, 100])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_matrix_with_a_gap_has_no_factor(size: int, bad: float) -> None:
    matrix = positive_definite(size)
    matrix[0, 1] = matrix[1, 0] = bad
    assert triangles.scaled_cholesky(matrix, np.sqrt(matrix.diagonal())) is None
    matrix[0, 1] = matrix[1, 0] = np.nan
    assert triangles.cholesky(matrix) is None


@pytest.mark.parametrize("size", [3, 70, 201])
def test_a_scaled_factor_is_that_of_the_scaled_matrix(size: int) -> None:
    units = 10.0 ** np.linspace(-150, 150, size)
    plain = positive_definite(size)
    diagonal = np.sqrt(plain.diagonal())
    upper = triangles.scaled_cholesky(plain * units * units[:, None], diagonal * units)
    assert upper is not None
    assert_allclose(upper.T @ upper, plain / diagonal / diagonal[:, None], atol=1e-14 * size)


@pytest.mark.parametrize("size", [0, 3, 64, 65, 101, 200])
def test_a_triangle_times_its_transpose_is_symmetric_to_the_last_bit(size: int) -> None:
    upper = np.triu(np.random.default_rng(size).standard_normal((size, size)))
    square = triangles.squared(upper)
    assert_allclose(square, upper @ upper.T, atol=1e-13 * (1 + size))
    assert triangles.symmetric(square)
    assert triangles.symmetric(np.asfortranarray(square))


@pytest.mark.parametrize("size", [2, 17, 40])
def test_one_bit_is_enough_not_to_be_symmetric(size: int) -> None:
    matrix = positive_definite(size)
    matrix[0, -1] = np.nextafter(matrix[-1, 0], np.inf)
    assert not triangles.symmetric(matrix)
    matrix[0, -1] = matrix[-1, 0] = np.nan
    assert not triangles.symmetric(matrix)


@pytest.mark.parametrize("size", [65, 90])
def test_a_later_pivot_that_is_not_positive_ends_it(size: int) -> None:
    matrix = positive_definite(size)
    matrix[-1, -1] = 0.0
    assert triangles.cholesky(matrix) is None


def test_the_inverse_of_a_triangle_bounds_its_condition() -> None:
    upper = np.array([[1.0, 0.6], [0.0, 0.8]])
    inverse = np.linalg.inv(upper)
    bound = np.linalg.norm(upper) * np.linalg.norm(inverse)
    assert bound >= np.linalg.cond(upper)
    for turned in (inverse, np.asfortranarray(inverse)):
        assert triangles.surely_within(turned, 1.001 * bound)
        assert not triangles.surely_within(turned, 0.999 * bound)


def test_layouts_do_not_matter() -> None:
    matrix = positive_definite(5)
    upper = triangles.cholesky(np.asfortranarray(matrix))
    assert upper is not None
    right = np.arange(5.0)
    assert_allclose(
        triangles.solved(np.asfortranarray(upper), right), triangles.solved(upper, right), rtol=1e-14
    )


@pytest.mark.parametrize(
    "matrix", [[[1.0, 2.0], [2.0, 1.0]], [[0.0]], [[-1.0]]], ids=["indefinite", "zero", "negative"]
)
def test_what_is_not_positive_definite_has_no_factor(matrix: list[list[float]]) -> None:
    assert triangles.cholesky(np.array(matrix)) is None


def test_condition() -> None:
    upper = np.array([[2.0, 1.0], [0.0, 0.5]])
    assert_allclose(triangles.condition(upper), np.linalg.cond(upper, 1), rtol=1e-12)
    with np.errstate(all="ignore"):
        assert triangles.condition(np.array([[1.0, 1.0], [0.0, 0.0]])) == math.inf
