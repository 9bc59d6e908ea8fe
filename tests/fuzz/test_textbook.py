"""The judge is judged: its formulas hold, its projections find a known step, a false answer is caught."""

from __future__ import annotations

from dataclasses import replace

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from tests.fuzz.recipes import POOL, Recipe, cooked
from tests.fuzz.textbook import Rows, Wide, distance, frame, inverse_of, variance
from tests.fuzz.verdict import RIGHT, verdict

USUAL = Recipe(
    unit=next(unit for unit in POOL if unit.family.name == "poisson" and unit.link.name == "log"),
    rows=30,
    numbers=("usual", "integer"),
    factor="even",
    together="none",
    intercept=True,
    response="model",
    weights="variance",
    extent="usual",
    offset="usual",
    missing=True,
    solver="newton",
    covariance=None,
    dispersion=None,
    seed=3,
)
LINKS = {unit.link: unit for unit in POOL}


@pytest.mark.parametrize("link", LINKS, ids=repr)
def test_means_and_slopes_are_those_of_the_unit(link) -> None:
    unit = LINKS[link]
    eta = np.array([-8.0, -2.5, -0.3, 0.2, 0.7, 1.4, 6.0])
    eta = eta[unit.domain.contains(eta)]
    point, mean = inverse_of(link)(eta.astype(Wide)), link.inverse(np, eta)
    assert_allclose(point.mu.astype(float), mean.mu, rtol=1e-13)
    assert_allclose(point.slope.astype(float), mean.d1, rtol=1e-12)
    if unit.family.mean.upper == 1.0:
        assert_allclose(point.complement.astype(float), mean.complement, rtol=1e-12)


@pytest.mark.parametrize("unit", {unit.family: unit for unit in POOL}.values(), ids=lambda u: repr(u.family))
def test_variances_are_those_of_the_family(unit) -> None:
    mu = np.array([0.1, 0.4, 0.9])
    if unit.family.mean.upper != 1.0:
        got = variance(unit.family, mu.astype(Wide)).astype(float)
        assert_allclose(got, unit.family.variance(np, mu, 1.0 - mu), rtol=1e-13)


def test_tails_live_where_those_of_a_double_are_dead() -> None:
    probit = next(unit.link for unit in POOL if unit.link.name == "probit")
    point = inverse_of(probit)(np.array([-37.0, 37.0], dtype=Wide))
    assert_allclose(float(point.mu[0]), float(mpmath.ncdf(-37)), rtol=1e-15)
    assert point.complement[1] == point.mu[0]


def test_a_frame_tells_what_a_column_has_of_its_own() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(9, 2)).astype(Wide)
    matrix = np.concatenate([x, x[:, :1] + x[:, 1:], x[:, :1] + Wide("1e-7") * x[:, 1:] ** 2], axis=1)
    found = frame(matrix, 1e-15)
    assert_allclose((found.columns.T @ found.columns).astype(float), np.eye(3), atol=1e-17)
    assert found.left[2] < 1e-17
    assert 1e-8 < found.left[3] < 1e-6


def test_a_step_of_a_tenth_of_a_standard_error_is_seen() -> None:
    x = np.column_stack([np.ones(5), np.arange(5.0)]).astype(Wide)
    y = np.array([1.0, 2.0, 2.0, 5.0, 9.0])
    fit = em.glm("y ~ x", {"y": y, "x": np.arange(5.0)}, family="poisson")
    rows = Rows(x, y.astype(Wide), np.ones(5, Wide), np.ones(5, Wide), np.zeros(5, Wide))
    assert distance(USUAL.unit, rows, fit.coef.astype(Wide)).step < 1e-9
    alone = 1.0 / np.sqrt(np.linalg.inv(fit.cov)[1, 1])  # the length of a step in one coefficient alone
    moved = distance(USUAL.unit, rows, fit.coef.astype(Wide) + np.array([0.0, 1e-4 * alone])).step
    assert_allclose(moved, 1e-4, rtol=1e-2)


def test_a_usual_model_is_right_and_a_false_answer_is_a_defect(monkeypatch: pytest.MonkeyPatch) -> None:
    assert verdict(cooked(USUAL))[0] == RIGHT
    assert USUAL.friendly
    honest = em.glm

    def wrong(*arguments, **options):
        fit = honest(*arguments, **options)
        return replace(fit, beta=fit.beta + 1e-4)

    monkeypatch.setattr(em, "glm", wrong)
    with pytest.raises(AssertionError, match="standard errors off"):
        verdict(cooked(USUAL))
