"""What is said of least squares is what least squares does, by hand and by simulation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import etamu as em

N = 80


def data() -> dict[str, Any]:
    rng = np.random.default_rng(11)
    x, t = np.linspace(0.0, 3.0, N), rng.uniform(0.5, 2.0, N)
    return {"x": x, "t": t, "y": rng.poisson(t * np.exp(x - 1.0)).astype(float)}


def by_hand(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return fitted values, leverages and s of least squares."""
    beta = np.linalg.lstsq(X, y, rcond=None)[0]
    h = np.einsum("ij,ij->i", X @ np.linalg.inv(X.T @ X), X)
    return X @ beta, h, float(np.sqrt(np.sum((y - X @ beta) ** 2) / (len(y) - X.shape[1])))


def test_least_squares_by_hand() -> None:
    d = data()
    found = em.why_not_ols(em.glm("y ~ x", d, family="poisson"))
    X = np.stack([np.ones(N), d["x"]], axis=1)
    fitted, h, s = by_hand(X, d["y"])
    residual = d["y"] - fitted
    assert found.outside == np.sum(fitted <= 0)
    assert found.worst == pytest.approx(fitted.min())
    assert found.row == np.argmin(fitted)
    assert np.allclose(found.variance, np.mean(residual.reshape(10, 8) ** 2, axis=1))
    assert found.skewness == pytest.approx(np.mean(residual**3) / np.mean(residual**2) ** 1.5)
    from scipy.special import stdtrit

    half = -stdtrit(N - 2, 0.025) * s * np.sqrt(1 + h)
    assert found.coverage == pytest.approx(np.mean(np.abs(residual) <= half))
    assert found.impossible == pytest.approx(np.mean(fitted - half < 0))
    assert np.allclose(found.by_tenth, np.mean((np.abs(residual) <= half).reshape(10, 8), axis=1))


def test_the_coverage_is_that_of_simulated_responses() -> None:
    d = data()
    fit = em.glm("y ~ x", d, family="poisson")
    found = em.why_not_ols(fit)
    X, mu = np.stack([np.ones(N), d["x"]], axis=1), fit.predict()
    inverse = np.linalg.inv(X.T @ X)
    best = inverse @ X.T @ mu
    rng = np.random.default_rng(12)
    draws = rng.poisson(mu, (4000, N))
    beta = draws @ X @ inverse
    _, _, s = by_hand(X, d["y"])
    half = 1.959964 * s * np.sqrt(np.diag(inverse))
    shares = np.mean(np.abs(beta - best) <= half, axis=0)
    assert np.allclose(list(found.coefficients.values()), shares, atol=0.02)
    claimed = 1.959964 * s * np.sqrt(np.einsum("ij,jk,ik->i", X, inverse, X))
    means = np.mean(np.abs(beta @ X.T - mu) <= claimed)
    assert found.means == pytest.approx(means, abs=0.02)


def test_a_linear_model_has_little_to_fear() -> None:
    rng = np.random.default_rng(13)
    x = rng.normal(size=2000)
    found = em.why_not_ols(em.glm("y ~ x", {"x": x, "y": 1 + x + rng.normal(size=2000)}))
    assert found.outside == 0
    assert found.impossible == 0.0
    assert found.coverage == pytest.approx(0.95, abs=0.02)
    assert found.means == pytest.approx(0.95, abs=0.02)
    assert all(share == pytest.approx(0.95, abs=0.02) for share in found.coefficients.values())
    assert "all 2,000 fitted values" in str(found)


def test_trials_become_proportions_and_exposures_rates() -> None:
    d = data()
    rates = em.why_not_ols(em.glm("y ~ x", d, family="poisson", exposure="t"))
    fitted, _, _ = by_hand(np.stack([np.ones(N), d["x"]], axis=1), d["y"] / d["t"])
    assert np.allclose(rates.fit.predict(), fitted)
    assert rates.response == "y over its exposure"
    d["m"] = np.full(N, 60.0)
    shares = em.why_not_ols(em.glm("y ~ x", d, family="binomial", trials="m"))
    fitted, _, _ = by_hand(np.stack([np.ones(N), d["x"]], axis=1), d["y"] / 60)
    assert np.allclose(shares.fit.predict(), fitted)
    assert "over its trials" in str(shares)


def test_copies_are_rows() -> None:
    d = data()
    k = np.arange(N) % 3 + 1
    weighted = em.why_not_ols(em.glm("y ~ x", d | {"k": k}, family="poisson", frequency_weights="k"))
    repeated = em.why_not_ols(em.glm("y ~ x", {n: np.repeat(v, k) for n, v in d.items()}, family="poisson"))
    for name in ("skewness", "coverage", "impossible", "means"):
        assert getattr(weighted, name) == pytest.approx(getattr(repeated, name), rel=1e-8)


def test_it_prints_and_comes_back() -> None:
    found = em.why_not_ols(em.glm("y ~ x", data(), family="poisson"))
    assert len(found.sentences) == 5
    assert "<li>" in found._repr_html_()
    assert list(found.frame()) == ["tenth", "variance", "coverage"]
    assert repr(found) == str(found)


def test_no_residual_no_answer() -> None:
    fit = em.glm("y ~ x", {"y": [1.0, 2.0], "x": [0.0, 1.0]}, family="poisson")
    with pytest.raises(em.NotAvailableError, match="no residual"):
        em.why_not_ols(fit)
