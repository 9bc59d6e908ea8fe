from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.arrow import Arrow, ArrowInverse
from etamu.infer.covariance import (
    MANY,
    Root,
    Unwritten,
    condition,
    filled,
    root_of_information,
    root_of_triangle,
    sandwich,
)

RNG = np.random.default_rng(3)
X = RNG.normal(size=(40, 4)) * [1.0, 1e6, 1e-6, 1.0]


def test_the_root_of_an_information_is_that_of_its_inverse():
    information = X.T @ X
    scale = np.sqrt(np.outer(np.diag(np.linalg.inv(information)), np.diag(np.linalg.inv(information))))
    got = root_of_information(information).covariance()
    assert_allclose(got / scale, np.linalg.inv(information) / scale, atol=1e-9)


def test_a_triangle_gives_the_same_covariance_without_squaring():
    got = root_of_triangle(np.linalg.qr(X, mode="r")).covariance()
    expected = root_of_information(X.T @ X).covariance()
    assert_allclose(got, expected, rtol=1e-9)


def test_a_triangle_keeps_digits_a_gram_has_lost():
    x = np.column_stack([np.ones(20), 1.0 + 1e-9 * np.arange(20.0)])
    got = root_of_triangle(np.linalg.qr(x, mode="r")).covariance()[1, 1]
    t = np.arange(20.0) * 1e-9
    # 1 + 1e-9 t is itself only good to 1e-7 of t.
    assert_allclose(got, 1.0 / np.sum((t - t.mean()) ** 2), rtol=1e-6)


@pytest.mark.parametrize("information", [[[1.0, 2.0], [2.0, 1.0]], [[1.0, 0.0], [0.0, -2.0]], [[0.0]]])
def test_an_indefinite_information_is_refused(information):
    with pytest.raises(np.linalg.LinAlgError):
        root_of_information(np.array(information))


def test_no_columns_have_an_empty_covariance():
    assert root_of_information(np.zeros((0, 0))).covariance().shape == (0, 0)
    assert root_of_triangle(np.zeros((0, 0))).variances().shape == (0,)
    assert condition(np.zeros((0, 0))) == 1.0


def test_a_sandwich_is_bread_meat_bread():
    information, meat = X.T @ X, np.cov(RNG.normal(size=(4, 30)))
    bread = np.linalg.inv(information)
    got = sandwich(root_of_information(information), meat).covariance()
    assert_allclose(got, bread @ meat @ bread, rtol=1e-8)


def test_scaling_a_root_scales_the_covariance():
    root = Root(RNG.normal(size=(3, 3)))
    assert_allclose(root.scaled(2.5).covariance(), 2.5 * root.covariance())
    assert_allclose(root.variances(), np.diag(root.covariance()))


def test_condition_is_that_of_the_scaled_columns():
    x = X / np.linalg.norm(X, axis=0)
    assert_allclose(condition(X.T @ X), np.linalg.cond(x), rtol=1e-6)


def test_the_root_of_an_arrow_is_a_root_of_its_inverse():
    side = np.array([[1.0], [1.0], [0.5]])
    arrow = Arrow(np.arange(3), np.array([3]), np.array([2.0, 3.0, 4.0]), side, np.array([[9.0]]))
    root = root_of_information(arrow)
    assert_allclose(root.covariance(), np.linalg.inv(np.asarray(arrow)), rtol=1e-12)
    exact = condition(np.asarray(arrow))
    assert 0.8 * exact <= condition(arrow) <= exact * (1 + 1e-9)


def test_an_arrow_that_is_not_positive_definite_has_no_root():
    arrow = Arrow(np.arange(1), np.array([1]), np.array([1.0]), np.array([[2.0]]), np.array([[1.0]]))
    with pytest.raises(np.linalg.LinAlgError, match="positive definite"):
        root_of_information(arrow)
    assert condition(arrow) > 1e7


def test_with_many_coefficients_the_condition_is_estimated():
    x = np.random.default_rng(1).normal(size=(400, MANY + 1)) * np.linspace(1.0, 100.0, MANY + 1)
    gram = x.T @ x
    size = np.sqrt(np.diag(gram))
    exact = np.sqrt(np.linalg.cond(gram / size[:, None] / size))
    # the power method comes from below, to a few per cent
    assert 0.8 * exact <= condition(gram) <= exact * (1 + 1e-9)
    assert condition(np.ones((MANY + 1, MANY + 1))) > 1e7


def test_a_root_filled_by_cholesky_is_that_filled_by_eigenvalues():
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(600, MANY + 1))
    white = scores.T @ scores
    bread = Root(np.eye(MANY + 1))
    assert_allclose(filled(bread, white).covariance(), white, rtol=1e-9, atol=1e-9)
    few = scores[:5].T @ scores[:5]
    assert_allclose(filled(bread, few).covariance(), few, atol=1e-9)


def test_the_root_of_an_arrow_stays_unwritten_where_its_squares_are_numbers():
    inverse = ArrowInverse(np.array([0]), np.array([1]), np.array([1.0, 0.0]), np.array([[1.0], [2.0]]))
    root = Unwritten(inverse)
    assert root.near() == (root, 1.0)
    assert "matrix" not in vars(root)
    far, unit = Unwritten(inverse.times(1e290)).near()
    assert_allclose(unit**2 * far.covariance(), 1e290 * inverse.dense(), rtol=1e-12)
