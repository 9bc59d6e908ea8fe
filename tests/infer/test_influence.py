"""Influence formulas against what they stand for: least squares with each row truly left out."""

from __future__ import annotations

import math

import numpy as np
import pytest

from etamu.infer.influence import (
    Whole,
    cooks_distance,
    covariance_ratio,
    dffits,
    leverages,
    loo_sigma,
    shift,
    standardised,
    studentised,
)

N, P = 15, 3


class Squares:
    """A least-squares problem, solved with and without each row."""

    def __init__(self) -> None:
        rng = np.random.default_rng(31)
        self.x = np.column_stack([np.ones(N), rng.normal(size=(N, P - 1))])
        self.x[0, 1] = 8.0
        self.y = rng.normal(size=N)
        self.gram = self.x.T @ self.x
        self.beta = np.linalg.solve(self.gram, self.x.T @ self.y)
        self.residual = self.y - self.x @ self.beta
        self.h = np.diag(self.x @ np.linalg.pinv(self.x))
        rss = float(self.residual @ self.residual)
        self.whole = Whole(deviance=rss, nobs=N, rank=P, dispersion=rss / (N - P))
        keep = [np.arange(N) != row for row in range(N)]
        self.betas = np.array([np.linalg.lstsq(self.x[k], self.y[k], rcond=None)[0] for k in keep])
        left = [self.y[k] - self.x[k] @ b for k, b in zip(keep, self.betas, strict=True)]
        self.sigmas = np.array([math.sqrt(float(r @ r) / (N - 1 - P)) for r in left])
        self.grams = np.array([self.x[k].T @ self.x[k] for k in keep])


@pytest.fixture(scope="module")
def squares() -> Squares:
    return Squares()


def test_leverages_are_the_diagonal_of_the_projection(squares: Squares) -> None:
    weight = np.random.default_rng(4).uniform(0.5, 2.0, N)
    half = np.sqrt(weight)[:, None] * squares.x
    quadratic = np.einsum("ij,jk,ik->i", squares.x, np.linalg.inv(half.T @ half), squares.x)
    h = leverages(weight, quadratic)
    np.testing.assert_allclose(h, np.diag(half @ np.linalg.pinv(half)), rtol=1e-10)
    assert h.sum() == pytest.approx(P)


def test_a_leverage_of_one_but_for_rounding_is_exactly_one() -> None:
    h = leverages(np.full(4, 2.0), np.array([0.5 - 1e-12, 0.5 + 1e-12, 0.5 - 1e-8, 0.0]))
    assert h[0] == h[1] == 1.0
    assert 1.0 > h[2] > 0.999
    assert h[3] == 0.0


def test_cooks_distance_is_the_distance_between_the_fits(squares: Squares) -> None:
    moved = squares.beta - squares.betas
    expected = np.einsum("ij,jk,ik->i", moved, squares.gram, moved) / (P * squares.whole.dispersion)
    found = cooks_distance(squares.residual, squares.h, squares.whole)
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_loo_sigma_is_that_of_the_fit_without_the_row(squares: Squares) -> None:
    found = loo_sigma(squares.residual, squares.h, squares.whole)
    np.testing.assert_allclose(found, squares.sigmas, rtol=1e-10)


def test_standardised_residuals_have_the_variance_of_theory_taken_out(squares: Squares) -> None:
    """Var(e_i) = sigma^2 (I - H)_ii."""
    residual_maker = np.eye(N) - squares.x @ np.linalg.pinv(squares.x)
    expected = squares.residual / np.sqrt(squares.whole.dispersion * np.diag(residual_maker))
    found = standardised(squares.residual, squares.h, squares.whole.dispersion)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_studentised_residual_is_the_error_of_prediction_without_the_row(squares: Squares) -> None:
    """(y_i - x_i b_(i)) / (s_(i) sqrt(1 + x_i (X_(i)'X_(i))^-1 x_i')), a t variable."""
    ahead = squares.y - np.einsum("ij,ij->i", squares.x, squares.betas)
    spread = np.einsum("ij,ijk,ik->i", squares.x, np.linalg.inv(squares.grams), squares.x)
    found = studentised(squares.residual, squares.residual, squares.h, squares.sigmas)
    np.testing.assert_allclose(found, ahead / (squares.sigmas * np.sqrt(1.0 + spread)), rtol=1e-9)


def test_dffits_is_the_move_of_the_fitted_value_in_its_standard_errors(squares: Squares) -> None:
    move = np.einsum("ij,ij->i", squares.x, squares.beta - squares.betas)
    found = dffits(squares.residual, squares.h, squares.sigmas)
    np.testing.assert_allclose(found, move / (squares.sigmas * np.sqrt(squares.h)), rtol=1e-9)


def test_covariance_ratio_is_a_ratio_of_determinants(squares: Squares) -> None:
    without = squares.sigmas ** (2 * P) / np.linalg.det(squares.grams)
    whole = squares.whole.dispersion**P / np.linalg.det(squares.gram)
    found = covariance_ratio(squares.residual, squares.h, squares.sigmas, squares.whole)
    np.testing.assert_allclose(found, without / whole, rtol=1e-9)


def test_shift_is_how_far_the_fitted_value_falls(squares: Squares) -> None:
    """For least squares one step is all the way."""
    expected = np.einsum("ij,ij->i", squares.x, squares.beta - squares.betas)
    np.testing.assert_allclose(shift(squares.residual, squares.h), expected, rtol=1e-9)


def test_a_row_that_determines_its_own_value_has_no_influence_that_could_be_said() -> None:
    one, h, whole = np.zeros(1), np.ones(1), Whole(2.0, 5, 2, 0.5)
    sigma = loo_sigma(one, h, whole)
    assert sigma[0] == pytest.approx(1.0)
    said = {
        "cook": cooks_distance(one, h, whole),
        "standardised": standardised(one, h, 0.5),
        "studentised": studentised(one, one, h, sigma),
        "dffits": dffits(one, h, sigma),
        "covratio": covariance_ratio(one, h, sigma, whole),
        "shift": shift(one, h),
    }
    assert [name for name, value in said.items() if not np.isnan(value).all()] == []


def test_loo_sigma_is_nan_where_nothing_is_left() -> None:
    d, h = np.array([0.5, 0.0]), np.array([0.5, 1.0])
    assert np.isnan(loo_sigma(d, h, Whole(1.0, 3, 2, 1.0))).all()
    assert np.isnan(loo_sigma(d, h, Whole(1.0, 2, 2, 1.0))).all()


def test_loo_sigma_is_nan_where_the_row_takes_more_than_there_is() -> None:
    found = loo_sigma(np.array([2.0, 0.1]), np.array([0.5, 0.5]), Whole(1.0, 9, 2, 1.0))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(math.sqrt((1.0 - 0.02) / 6))


def test_a_perfect_fit_says_nan_not_infinity() -> None:
    d, h, zero = np.array([1.0]), np.array([0.5]), np.zeros(1)
    assert np.isnan(studentised(d, d, h, zero)).all()
    assert np.isnan(dffits(d, h, zero)).all()
    assert np.isnan(standardised(d, h, 0.0)).all()


def test_studentised_residual_has_the_sign_of_the_deviance_and_blends_both_kinds() -> None:
    """Without leverage the deviance residual alone counts; its square is a mixture with weight h."""
    d, p = np.array([-2.0, 2.0, 0.0]), np.array([3.0, -3.0, 3.0])
    np.testing.assert_array_equal(studentised(d, p, np.zeros(3), 1.0), d)
    h = np.full(3, 0.25)
    inside = (0.75 * 4.0 + 0.25 * 9.0) / 0.75
    np.testing.assert_allclose(studentised(d, p, h, 2.0), np.array([-1, 1, 0]) * math.sqrt(inside) / 2.0)


def test_turning_the_sign_of_residuals_turns_what_has_a_sign(squares: Squares) -> None:
    e, h, s = squares.residual, squares.h, squares.sigmas
    np.testing.assert_array_equal(dffits(-e, h, s), -dffits(e, h, s))
    np.testing.assert_array_equal(cooks_distance(-e, h, squares.whole), cooks_distance(e, h, squares.whole))
