"""A fit whose climb did not arrive is climbed again: it arrives, or the edge is proved, or it says so."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.solve.outcome import Outcome

FAR = {"y": [0.0, 0.0, 0.0], "o": [700.0, -700.0, 700.0]}
CURVED = {"y": [-3.0, -3.0, 0.5, -3.0, -3.0, -3.0], "x": [0.3, 1.0, 2.0, -1.0, -0.5, 0.2]}
LEVELS = {"y": [-3.0, -3.0, 5.0, -3.0], "g": list("abca")}
SAME = {"y": [1e12] * 4, "x": [0.3, 1.0, 2.0, -1.0], "o": [0.1] * 4}


def fitted(formula: str, data: dict[str, Any], **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", em.EtamuWarning)
        return em.glm(formula, data, **options)


@pytest.mark.parametrize(
    ("formula", "data", "options"),
    [
        # At eta = 0 the value of a zero falls with a slope without end: the nearest row holds it there.
        ("y ~ 1", FAR, {"family": em.NegativeBinomial(2.0), "link": em.Power(1.5), "offset": "o"}),
        # The mean has no slope at eta = 0: every Newton step leaves the same share of the decrement.
        ("y ~ x", CURVED, {"family": "gaussian", "link": em.Power(1 / 3)}),
        ("y ~ g", LEVELS, {"family": "gaussian", "link": "sqrt"}),
    ],
    ids=["steep", "flat", "levels"],
)
def test_a_maximum_on_the_edge_is_said_to_be_there(
    formula: str, data: dict[str, Any], options: dict[str, Any]
) -> None:
    fit = fitted(formula, data, **options)
    assert fit.outcome is Outcome.BOUNDARY
    assert np.nanmin(np.abs(fit.predict(kind="link"))) < 1e-10


def test_a_maximum_nearer_the_edge_than_float64_tells_is_inside() -> None:
    """It is at eta = 1e-24, which beside an offset of 0.1 no coefficient tells from 0."""
    fit = fitted("y ~ x", SAME, family=em.Tweedie(1.05), link="inverse_squared", offset="o")
    assert fit.outcome is Outcome.PRECISION
    assert fit.deviance < 1e-9  # every mean is its response


def test_a_likelihood_that_is_not_concave_near_the_edge_is_climbed_to_its_maximum() -> None:
    data = {"g": list("abaad"), "y": [0.25, 1e-10, 1e-10, 1e-10, 0.5]}
    fit = fitted("y ~ g", data, family=em.Tweedie(4.0), link="identity")
    assert fit.converged
    assert fit.predict() == pytest.approx([0.25 / 3, 1e-10, 0.25 / 3, 0.25 / 3, 0.5], rel=1e-6)


def test_what_arrives_at_once_is_left_alone() -> None:
    data = {"y": [0.0, 2.0, 1.0, 4.0], "x": [0.1, 0.5, 0.7, 1.5]}
    fit = fitted("y ~ x", data, family="poisson")
    assert fit.converged
    assert fit.iterations < 8


SPREAD = {
    "x": [2016.0, 1998.0, 2005.0, 2021.0, 2023.0, 2013.0],
    "z": [-0.06, -1.17, -1.39, -0.84, -0.07, -1.10],
    "y": [1.0, 0.0, 5.0, 0.0, 0.0, 2.0],
    "w": [1.5e-15, 1e-31, 2e41, 2e28, 2e18, 1.2],
}


def test_light_rows_whose_step_is_too_long_do_not_shorten_that_of_heavy_ones() -> None:
    fit = fitted("y ~ x + z", SPREAD, family="poisson", variance_weights="w")
    assert fit.converged
    score = (np.array(SPREAD["y"]) - fit.predict()) * np.array(SPREAD["w"])
    rows = np.stack([np.ones(6), np.array(SPREAD["x"]) - 2016.0, SPREAD["z"]])
    assert np.all(np.abs(rows @ score) <= 1e-9 * (np.abs(rows) @ (np.array(SPREAD["w"]) * fit.predict())))


@pytest.mark.parametrize(
    ("family", "link", "mean"),
    [("inverse_gaussian", "identity", 1e-9), (em.Tweedie(4.0), em.Power(1 / 3), 1e-10)],
    ids=["inverse_gaussian", "tweedie"],
)
def test_a_column_that_one_row_alone_has_does_not_take_the_digits_of_the_others(
    family: Any, link: Any, mean: float
) -> None:
    """Shifted by its mean, its coefficient of 4e5 was a term of every eta."""
    data = {"x": [2020.0, 2010.0, 1991.0], "z": [1.0, 0.0, 0.0], "y": [4.26e5, mean, 2.45e-3]}
    fit = fitted("y ~ x + z", data, family=family, link=link)
    assert fit.converged
    assert fit.predict() == pytest.approx(data["y"], rel=1e-3)


def test_equal_rows_on_the_edge_are_held_there_together() -> None:
    """One of two equal rows alone would leave the edge; together they pull outward."""
    data = {"y": [-3.0, -3.0, 0.5, -3.0, -3.0, -3.0], "g": list("abccba"), "o": [0.1] * 6}
    fit = fitted("y ~ g", data, family="gaussian", link=em.Power(1 / 3), offset="o")
    assert fit.outcome is Outcome.BOUNDARY


def test_curvature_beyond_float64_is_no_warning_of_its_own() -> None:
    data = {"y": [0.0] * 6, "x": [0.1, 0.5, 0.7, 1.5, -1.0, 0.3], "g": list("ababab")}
    for solver in ("newton", "lbfgs"):
        options: dict[str, Any] = {"family": em.Tweedie(1.5), "link": em.Power(-2.0), "solver": solver}
        assert fitted("y ~ g * x", data, **options).outcome is not Outcome.CONVERGED


@pytest.mark.parametrize("weight", [1e-100, 1e-250, 1e-300], ids=str)
@pytest.mark.parametrize("link", ["logit", "cloglog"])
@pytest.mark.parametrize("seed", [2, 5, 7])
def test_a_row_of_hardly_any_weight_that_alone_overlaps_makes_the_maximum_finite(
    link: str, weight: float, seed: int
) -> None:
    """Everything else is as good as separated: eta is in the hundreds, and a step too far finds no slope.

    A standard error is 1e50 and more, so that eta within 1e-6 is as near as anybody can ask.
    """
    rng = np.random.default_rng(seed)
    x = np.round(rng.normal(size=(20, 2)), 1)
    margin = x @ [1.0, -0.7] - 0.05
    y, wrong = (margin > 0.0).astype(float), np.argsort(np.abs(margin))[12]
    y[wrong] = 1.0 - y[wrong]
    weights = np.where(np.arange(20) == wrong, weight, 1.0)
    data = {"y": y, "a": x[:, 0], "b": x[:, 1], "w": weights}
    fit = fitted("y ~ a + b", data, family="bernoulli", link=link, variance_weights="w")
    assert fit.outcome is Outcome.CONVERGED
    eta = np.asarray(fit.predict(kind="link"))
    with np.errstate(over="ignore", under="ignore"):
        if link == "logit":
            slope = np.where(y == 1.0, 1.0 / (1.0 + np.exp(eta)), -1.0 / (1.0 + np.exp(-eta)))
        else:
            rate = np.exp(np.clip(eta, -30.0, 6.56))
            slope = np.where(y == 1.0, rate / np.expm1(rate), -np.exp(eta))
    scores = weights[:, None] * slope[:, None] * np.column_stack([np.ones(20), x])
    assert scores.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-3 * np.abs(scores).sum(axis=0).max())
