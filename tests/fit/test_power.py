"""The Tweedie model with its power estimated: exact profiles from R, and what a user asks of it."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import etamu as em
from tests import oracle

WHOLE = json.loads((Path(__file__).parents[1] / "references" / "shapes.json").read_text(encoding="utf-8"))
CASES = {case["id"]: case for case in WHOLE["cases"] if case["kind"] == "tweedie_profile"}


@pytest.mark.parametrize("identifier", CASES)
def test_the_profile_of_r(identifier: str) -> None:
    case, data = CASES[identifier], oracle.table("CreditCard")
    said: dict[str, Any] = case["expected"]
    fit = em.glm("expenditure ~ " + case["formulaic_rhs"], data, family="tweedie")
    errors = oracle.numbers(said["se_at_phi_pearson"])
    assert abs(fit.shape.estimate - said["power_mle"]) < 1e-6 * fit.shape.se
    np.testing.assert_array_less(np.abs(fit.coef - oracle.numbers(said["coef"])), 1e-6 * errors)
    np.testing.assert_allclose(fit.se, errors, rtol=1e-7)
    np.testing.assert_allclose(fit.loglik, said["loglik"], rtol=1e-11)
    np.testing.assert_allclose(fit.aic, said["aic"], rtol=1e-11)
    np.testing.assert_allclose(fit.dispersion, said["phi_pearson"], rtol=1e-8)
    np.testing.assert_allclose(fit.likelihood.phi, said["phi_mle"], rtol=1e-8)
    assert fit.parameters == fit.rank + 2
    if identifier.endswith("small"):
        profile = fit.shape.profile()
        np.testing.assert_allclose(profile.interval, said["power_ci95_profile"], rtol=1e-8)
        np.testing.assert_allclose(fit.shape.conf_int(), profile.interval, atol=0.1 * fit.shape.se)
        assert np.all(np.diff(profile.values) > 0)
        assert profile.drop.min() == 0.0
        assert profile.drop.max() > 6.6


RNG = np.random.default_rng(11)
N = 400
X = RNG.normal(size=N)
AMOUNT = np.array([RNG.gamma(2.0 * max(k, 1), 1.5) * (k > 0) for k in RNG.poisson(1.2, N)]) * np.exp(0.3 * X)
DATA = {"y": AMOUNT, "x": X, "g": RNG.choice(["a", "b"], N)}


@pytest.fixture(scope="module")
def fit() -> em.Fit:
    return em.glm("y ~ x", DATA, family=em.Tweedie())


def test_the_score_of_the_power_is_zero(fit: em.Fit) -> None:
    power, step = fit.shape.estimate, 0.02 * fit.shape.se
    below, at, above = (em.glm("y ~ x", DATA, family=em.Tweedie(power + k * step)).loglik for k in (-1, 0, 1))
    assert at == pytest.approx(fit.loglik, rel=1e-12)
    assert below < at > above
    assert np.sqrt(step**2 / (2 * at - below - above)) == pytest.approx(fit.shape.se, rel=1e-3)
    # A sum of gammas of shape 2: the power is (2 + 2) / (2 + 1).
    assert abs(power - 4.0 / 3.0) < 4.0 * fit.shape.se


def test_the_power_does_not_depend_on_the_unit_of_the_response(fit: em.Fit) -> None:
    other = em.glm("y ~ x", DATA | {"y": 1000.0 * DATA["y"]}, family=em.Tweedie())
    assert abs(other.shape.estimate - fit.shape.estimate) < 1e-6 * fit.shape.se
    assert other.shape.se == pytest.approx(fit.shape.se, rel=1e-4)


def test_it_prints_saves_and_compares(fit: em.Fit, tmp_path: Path) -> None:
    assert 'family="tweedie"' in str(fit)
    assert "power = 1." in str(fit)
    fit.save(tmp_path / "m.json")
    again = em.load(tmp_path / "m.json")
    assert str(again) == str(fit)
    assert again.parameters == fit.parameters
    np.testing.assert_array_equal(again.shape.conf_int(), fit.shape.conf_int())
    larger = em.glm("y ~ x + g", DATA, family=em.Tweedie())
    assert em.compare(fit, larger)["lr"][1] == pytest.approx(2.0 * (larger.loglik - fit.loglik))


def test_a_given_phi_stays_in_the_likelihood() -> None:
    fit = em.glm("y ~ x", DATA, family=em.Tweedie(), dispersion=2.0)
    beside = [
        em.glm("y ~ x", DATA, family=em.Tweedie(fit.shape.estimate + k * fit.shape.se), dispersion=2.0).loglik
        for k in (-0.1, 0.1)
    ]
    assert max(beside) < fit.loglik
    assert fit.parameters == fit.rank + 1


def test_whole_numbers_are_warned_of() -> None:
    y = np.random.default_rng(2).poisson(np.exp(0.5 + 0.3 * X)).astype(float)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        em.glm("y ~ x", {"y": y, "x": X}, family=em.Tweedie())
    assert any("spurious maxima near power 1" in str(each.message) for each in caught)


def test_amounts_without_zeros_end_at_the_end_of_the_range() -> None:
    y = np.random.default_rng(3).wald(np.exp(0.3 * X), 1.0)
    with pytest.warns(em.ConvergenceWarning, match="end of the range, 1.99"):
        fit = em.glm("y ~ x", {"y": y, "x": X}, family=em.Tweedie())
    assert fit.shape.estimate == 1.99
    assert np.isnan(fit.shape.se)
    assert fit.shape.conf_int(method="profile")[1] == 1.99
    assert np.all(np.isnan(fit.shape.conf_int()))


def test_what_cannot_be_estimated_is_refused() -> None:
    with pytest.raises(em.DataError, match="every response is 0, so nothing tells what the power is"):
        em.glm("y ~ x", {"y": np.zeros(5), "x": np.arange(5.0)}, family=em.Tweedie())
    with pytest.raises(em.DataError, match="reproduce every response"):
        em.glm("y ~ x", {"y": [0.5, 2.3], "x": [0.0, 1.0]}, family=em.Tweedie())
    with pytest.raises(em.NotAvailableError, match="sampling weights"):
        em.glm("y ~ x", DATA, family=em.Tweedie(), sampling_weights=np.ones(N))
    with pytest.raises(em.FamilyError, match="no such model exists"):
        em.Tweedie(0.5)
    with pytest.raises(em.DataError, match="y"):
        em.glm("y ~ x", DATA | {"y": DATA["y"] - 1.0}, family=em.Tweedie())


@pytest.mark.slow
def test_many_rows_start_from_a_sample() -> None:
    rng = np.random.default_rng(5)
    n = 60_000
    x = rng.normal(size=n)
    mean, power, phi = np.exp(1.0 + 0.3 * x), 1.6, 2.0
    rate = mean ** (2.0 - power) / (phi * (2.0 - power))
    size = phi * (power - 1.0) * mean ** (power - 1.0)
    y = size * rng.standard_gamma(rng.poisson(rate) * (2.0 - power) / (power - 1.0))
    fit = em.GLM(family=em.Tweedie()).fit(x[:, None], y)
    assert fit.converged
    assert abs(fit.shape.estimate - power) < 4.0 * fit.shape.se
    step = 0.1 * fit.shape.se
    sides = [em.GLM(family=em.Tweedie(fit.shape.estimate + k * step)).fit(x[:, None], y) for k in (-1, 1)]
    assert abs(sides[0].loglik - sides[1].loglik) < 1e-3
    assert max(side.loglik for side in sides) < fit.loglik
