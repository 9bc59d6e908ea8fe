"""Leverage: the diagonal of the weighted hat matrix, whatever covariance the fit reports."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import etamu as em
from etamu._base.types import Array
from etamu.design.chunk import Weights
from etamu.fit.leverage import bread, counts, lever
from etamu.fit.rows import by_row, raw_beta

N = 45
RNG = np.random.default_rng(3)
Z, GROUP = RNG.normal(30.0, 2.0, N), np.arange(N) % 3
X = np.column_stack([np.ones(N), Z, GROUP == 1, GROUP == 2]).astype(float)
DATA: dict[str, Any] = {
    "z": Z,
    "g": np.array(["a", "b", "c"])[GROUP],
    "k": RNG.integers(0, 4, N).astype(float),
    "v": RNG.uniform(0.5, 2.0, N),
    "m": RNG.integers(0, 7, N).astype(float),
    "y": RNG.poisson(5.0, N).astype(float) + 1.0,
}
DATA["hits"] = RNG.binomial(DATA["m"].astype(int), 0.5).astype(float)
POISSON = em.glm("y ~ z + g", DATA, "poisson")
FREQUENT = em.glm("y ~ z + g", DATA, "poisson", "sqrt", frequency_weights="k", variance_weights="v")
GAUSSIAN = em.glm("y ~ z + g", DATA, "gaussian", variance_weights="v")
BINOMIAL = em.glm("hits ~ z + g", DATA, "binomial", trials="m")


def expected_weights(fit: em.Fit) -> np.ndarray:
    """W of single copies, from textbook formulas."""
    eta = X @ fit.coef
    if fit is POISSON:
        return np.exp(eta)
    if fit is FREQUENT:
        return 4.0 * DATA["v"]
    if fit is GAUSSIAN:
        return DATA["v"]
    p = 1.0 / (1.0 + np.exp(-eta))
    return DATA["m"] * p * (1.0 - p)


FITS = {"poisson": POISSON, "frequent sqrt": FREQUENT, "gaussian": GAUSSIAN, "binomial": BINOMIAL}


def hat(fit: em.Fit) -> np.ndarray:
    w = expected_weights(fit)
    k = DATA["k"] if fit is FREQUENT else np.ones(N)
    h = w * np.einsum("ij,ji->i", X, np.linalg.solve(X.T @ ((k * w)[:, None] * X), X.T))
    return np.where(k * w > 0.0, h, np.nan)


def leverage(fit: em.Fit) -> Array:
    function, beta = lever(fit, bread(fit)), raw_beta(fit)
    return by_row(fit, lambda chunk: function(chunk, chunk.predictors[0].eta(beta)))


@pytest.mark.parametrize("name", FITS)
def test_leverages_are_the_diagonal_of_the_hat_matrix_nan_where_a_row_does_not_count(name: str) -> None:
    assert_allclose(leverage(FITS[name]), hat(FITS[name]), rtol=1e-7)


@pytest.mark.parametrize("name", FITS)
def test_over_all_copies_they_sum_to_the_rank(name: str) -> None:
    k = DATA["k"] if name == "frequent sqrt" else np.ones(N)
    assert np.nansum(k * leverage(FITS[name])) == pytest.approx(4.0, rel=1e-9)


@pytest.mark.parametrize("name", FITS)
@pytest.mark.parametrize("kind", ["HC0", "HC3", "observed"])
def test_the_bread_is_the_same_under_every_covariance(name: str, kind: str) -> None:
    """From a model covariance it is rescaled, from any other it is summed anew: one answer."""
    fit = FITS[name]
    other = fit.with_covariance(kind)
    assert_allclose(bread(other).covariance(), bread(fit).covariance(), rtol=1e-8, atol=1e-14)
    assert_allclose(leverage(other), hat(fit), rtol=1e-7)


def test_the_bread_holds_no_dispersion() -> None:
    gram = X.T @ (DATA["v"][:, None] * X)
    assert GAUSSIAN.dispersion != pytest.approx(1.0)
    reported = GAUSSIAN.coordinates.reported_covariance(bread(GAUSSIAN).covariance())
    assert_allclose(reported, np.linalg.inv(gram), rtol=1e-7)


def test_a_row_alone_in_its_group_has_leverage_exactly_one() -> None:
    group = np.array(["b", *["a"] * (N - 1)])
    fit = em.glm("y ~ z + g", DATA | {"g": group}, "gaussian")
    h = leverage(fit)
    assert h[0] == 1.0
    assert (h[1:] < 1.0).all()


@pytest.mark.parametrize("kind", ["model", "HC0"])
def test_an_ill_conditioned_design_keeps_its_digits(kind: str) -> None:
    t = np.linspace(-1.0, 1.0, N)
    u = t + 1e-5 * np.cos(9.0 * t)
    fit = em.glm("y ~ t + u", {"y": np.sin(3.0 * t), "t": t, "u": u}, "gaussian").with_covariance(kind)
    q, _ = np.linalg.qr(np.column_stack([np.ones(N), t, u]))
    assert_allclose(leverage(fit), np.sum(q**2, axis=1), rtol=1e-8)


def test_single_copies_forget_frequencies_and_nothing_else() -> None:
    k, v, s = np.array([2.0, 3.0]), np.array([0.5, 4.0]), np.array([1.5, 0.5])
    assert Weights(k).precision() is None
    assert Weights().precision() is None
    assert_array_equal(Weights(k, v, s).precision(), [0.75, 2.0])
    assert_array_equal(Weights(k, sampling=s).precision(), s)


def test_rows_count_by_weight_and_trials() -> None:
    assert_array_equal(counts(FREQUENT.problem.chunk), DATA["k"] > 0)
    assert_array_equal(counts(BINOMIAL.problem.chunk), DATA["m"] > 0)
    assert counts(POISSON.problem.chunk).all()
    both = replace(BINOMIAL.problem.chunk, weights=Weights(variance=DATA["k"]))
    assert_array_equal(counts(both), (DATA["k"] > 0) & (DATA["m"] > 0))


def test_an_estimate_that_is_not_finite_leaves_a_bread_of_nan() -> None:
    lost = replace(POISSON.with_covariance("HC0"), beta=np.array([np.nan, 0.0, 0.0, 0.0]))
    assert np.isnan(bread(lost).matrix).all()
