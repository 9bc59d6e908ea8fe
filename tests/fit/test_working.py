"""Working response and weights: the last weighted least squares of IRLS, by hand and by what defines it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import etamu as em
from etamu.fit.working import working

N = 40
RNG = np.random.default_rng(77)
X1, GROUP = RNG.normal(size=N), np.arange(N) % 3
X = np.column_stack([np.ones(N), X1, GROUP == 1, GROUP == 2]).astype(float)
DATA: dict[str, Any] = {
    "x": X1,
    "g": np.array(["a", "b", "c"])[GROUP],
    "count": RNG.poisson(np.exp(0.8 + 0.3 * X1)).astype(float),
    "size": RNG.gamma(5.0, 0.4, N) + 0.1,
    "m": RNG.integers(2, 9, N).astype(float),
    "k": RNG.integers(0, 4, N).astype(float),
    "o": RNG.uniform(-0.5, 0.5, N),
}
DATA["hits"] = RNG.binomial(DATA["m"].astype(int), 0.5).astype(float)

CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "poisson log": ("count", {"family": "poisson"}),
    "poisson sqrt": ("count", {"family": "poisson", "link": "sqrt"}),
    "poisson weighted, offset": ("count", {"family": "poisson", "frequency_weights": "k", "offset": "o"}),
    "gamma log": ("size", {"family": "gamma", "link": "log", "variance_weights": "k"}),
    "gaussian": ("size", {"family": "gaussian", "offset": "o"}),
    "binomial logit": ("hits", {"family": "binomial", "trials": "m"}),
    "binomial probit": ("hits", {"family": "binomial", "link": "probit", "trials": "m"}),
    "binomial cloglog": ("hits", {"family": "binomial", "link": "cloglog", "trials": "m", "offset": "o"}),
}


def fitted(name: str) -> em.Fit:
    y, options = CASES[name]
    return em.glm(f"{y} ~ x + g", DATA, **options)


@pytest.mark.parametrize("name", CASES)
def test_weighted_least_squares_gives_the_coefficients_back(name: str) -> None:
    fit = fitted(name)
    out = working(fit)
    root = np.sqrt(out.weights)
    beta = np.linalg.lstsq(X * root[:, None], out.response * root, rcond=None)[0]
    assert_allclose(beta, fit.coef, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", CASES)
def test_the_inverse_of_the_weighted_gram_is_the_model_covariance(name: str) -> None:
    fit = fitted(name)
    gram = X.T @ (working(fit).weights[:, None] * X)
    assert_allclose(np.linalg.inv(gram) * fit.dispersion, fit.cov, rtol=1e-7, atol=1e-12)


def test_poisson_log_by_hand() -> None:
    """W = k mu and z = X beta + (y - mu) / mu, the offset left out of z."""
    fit = fitted("poisson weighted, offset")
    eta = X @ fit.coef
    mu = np.exp(eta + DATA["o"])
    out = working(fit)
    assert_allclose(out.weights, DATA["k"] * mu, rtol=1e-10)
    assert_allclose(out.response, eta + (DATA["count"] - mu) / mu, rtol=1e-9, atol=1e-10)


def test_binomial_logit_by_hand() -> None:
    fit = fitted("binomial logit")
    p = 1.0 / (1.0 + np.exp(-X @ fit.coef))
    m, y = DATA["m"], DATA["hits"]
    out = working(fit)
    assert_allclose(out.weights, m * p * (1.0 - p), rtol=1e-10)
    assert_allclose(out.response, X @ fit.coef + (y / m - p) / (p * (1.0 - p)), rtol=1e-9, atol=1e-10)


def test_the_gaussian_response_is_y_less_its_offset_with_weight_one() -> None:
    out = working(fitted("gaussian"))
    assert_allclose(out.response, DATA["size"] - DATA["o"], rtol=1e-12, atol=1e-12)
    assert_array_equal(out.weights, np.ones(N))


def test_a_row_of_weight_zero_keeps_its_response_and_has_weight_zero() -> None:
    fit = fitted("gamma log")
    out, idle = working(fit), DATA["k"] == 0
    mu = np.exp(X @ fit.coef)
    assert idle.any()
    assert_array_equal(out.weights[idle], 0.0)
    assert_allclose(out.response, np.log(mu) + DATA["size"] / mu - 1.0, rtol=1e-9, atol=1e-10)


def test_dropped_rows_are_nan_in_both() -> None:
    x = X1.copy()
    x[[2, 39]] = np.nan
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.glm("count ~ x + g", DATA | {"x": x}, "poisson")
    out = working(fit)
    assert_array_equal(np.flatnonzero(np.isnan(out.response)), [2, 39])
    assert_array_equal(np.flatnonzero(np.isnan(out.weights)), [2, 39])


def test_a_row_without_trials_has_no_weight_and_a_finite_response() -> None:
    m, hits = DATA["m"].copy(), DATA["hits"].copy()
    m[4] = hits[4] = 0.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        out = working(em.glm("hits ~ x + g", DATA | {"m": m, "hits": hits}, "binomial", trials="m"))
    assert out.weights[4] == 0.0
    assert np.isfinite(out.response[4])
