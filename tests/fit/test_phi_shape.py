"""The shape of a gamma and an inverse Gaussian response against MASS's gamma.shape and closed forms."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest

import etamu as em
from tests import oracle

GAMMA = [name for name in oracle.identifiers() if "gamma_shape_ml" in oracle.case(name)["expected"]]


@pytest.mark.parametrize("identifier", GAMMA)
def test_gamma_shape_of_mass(identifier: str) -> None:
    said = oracle.case(identifier)["expected"]["gamma_shape_ml"]
    asked = oracle.question(oracle.case(identifier))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = em.glm(asked.formula, asked.data, **asked.options | {"dispersion": "ml"})
    assert fit.shape.name == "shape"
    assert abs(fit.shape.estimate - said["alpha"]) < 1e-8 * said["se"]
    np.testing.assert_allclose(fit.shape.se, said["se"], rtol=1e-8)
    assert fit.shape.inverse == pytest.approx(fit.dispersion)


RNG = np.random.default_rng(4)
DATA = {"y": RNG.gamma(3.0, np.ones(80)), "x": RNG.normal(size=80), "w": RNG.uniform(0.5, 3.0, 80)}


@pytest.mark.parametrize(("family", "name"), [("gamma", "shape"), ("inverse_gaussian", "lambda")])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_interval_is_where_the_likelihood_has_fallen(family: str, name: str, *, weighted: bool) -> None:
    options = {"link": "log", "variance_weights": "w" if weighted else None}
    fit = em.glm("y ~ x", DATA, family=family, dispersion="ml", **options)
    assert fit.shape.name == name
    assert f"{name} = " in str(fit)
    for end in fit.shape.conf_int(method="profile"):
        held = em.glm("y ~ x", DATA, family=family, dispersion=1.0 / end, **options)
        assert 2.0 * (fit.loglik - held.loglik) == pytest.approx(3.841458820694124, abs=1e-7)
    step = 1e-2 * fit.shape.se
    beside = [1.0 / (fit.shape.estimate + k * step) for k in (-1, 0, 1)]
    below, at, above = (
        em.glm("y ~ x", DATA, family=family, dispersion=phi, **options).loglik for phi in beside
    )
    assert np.sqrt(step**2 / (2.0 * at - below - above)) == pytest.approx(fit.shape.se, rel=1e-3)


def test_an_inverse_gaussian_shape_in_closed_form() -> None:
    fit = em.glm("y ~ x", DATA, family="inverse_gaussian", link="log", dispersion="ml")
    n = len(DATA["y"])
    assert fit.shape.estimate == pytest.approx(n / fit.deviance)
    assert fit.shape.se == pytest.approx(fit.shape.estimate * np.sqrt(2.0 / n))


def test_doubled_rows_are_frequency_weights() -> None:
    twice = {name: np.repeat(column, 2) for name, column in DATA.items()}
    one = em.glm("y ~ x", DATA, family="gamma", link="log", dispersion="ml", frequency_weights=np.full(80, 2))
    two = em.glm("y ~ x", twice, family="gamma", link="log", dispersion="ml")
    assert one.shape.estimate == pytest.approx(two.shape.estimate, rel=1e-9)
    assert one.shape.se == pytest.approx(two.shape.se, rel=1e-9)
    np.testing.assert_allclose(one.shape.profile().interval, two.shape.profile().interval, rtol=1e-8)


def test_a_large_shape_keeps_its_digits() -> None:
    y = np.exp(1e-6 * np.random.default_rng(1).normal(size=200))
    fit = em.glm("y ~ 1", {"y": y}, family="gamma", link="log", dispersion="ml")
    # There the law is normal on the log scale: se = shape sqrt(2 / n).
    assert fit.shape.se == pytest.approx(fit.shape.estimate * np.sqrt(2.0 / 200), rel=1e-5)


def test_only_these_families_have_a_shape_in_phi(tmp_path: Path) -> None:
    fit = em.glm("y ~ x", DATA, family="gamma", link="log")
    assert fit.shapes == ()
    assert em.glm("y ~ x", DATA, family=em.Tweedie(1.5), dispersion="ml").shapes == ()
    saved = em.glm("y ~ x", DATA, family="gamma", link="log", dispersion="ml")
    saved.save(tmp_path / "m.json")
    assert str(em.load(tmp_path / "m.json")) == str(saved)
