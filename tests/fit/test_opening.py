"""The first look of a climb: what it says is what a pass over the rows at its place says."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em
from etamu.fit.assemble import from_formula
from etamu.fit.inputs import Keywords
from etamu.fit.opening import Opened, opened
from etamu.fit.problem import Options
from etamu.fit.stage import likelihood_of, prepare
from etamu.fit.start import grown
from etamu.objective.likelihood import Likelihood
from etamu.solve.newton import Newton

ROWS = 300


def table(family: str) -> dict[str, Any]:
    rng = np.random.default_rng(9)
    x, group = rng.normal(size=ROWS), rng.integers(0, 4, ROWS)
    mean = np.exp(0.4 + 0.3 * x + 0.2 * group)
    y = rng.poisson(mean) if family == "poisson" else mean * rng.gamma(2.0, 0.5, ROWS)
    return {"x": x, "g": group.astype(str), "y": y, "w": rng.uniform(0.5, 2.0, ROWS), "o": 0.1 * x**2}


def looked(
    formula: str, family: Any, link: str, constant: float = -math.inf, **given: str
) -> tuple[Likelihood, Opened | None]:
    data = table(family)
    unit = em.glm("y ~ 1", data, em.Tweedie(power=1.5) if family == "tweedie" else family, link).problem.unit
    problem = from_formula(formula, data, unit, Keywords(**given), "drop", Options())
    stage = prepare(problem, begin=True)
    oracle = likelihood_of(problem, stage)
    assert stage.normal is not None
    return oracle, opened(oracle, unit, stage.chunk, stage.normal, lambda: constant)


@pytest.mark.parametrize(
    "given", [{}, {"variance_weights": "w"}, {"offset": "o"}], ids=["plain", "weights", "offset"]
)
@pytest.mark.parametrize("family", ["poisson", "gamma", "tweedie", "inverse_gaussian"])
def test_what_is_told_of_a_moved_constant_is_what_a_pass_sees_there(
    family: str, given: dict[str, str]
) -> None:
    oracle, begun = looked("y ~ x + g", family, "log", **given)
    assert begun is not None
    told, seen = begun.local, oracle.at(begun.beta, Newton(begun.metric).want)
    assert_allclose(told.value, seen.value, rtol=1e-12)
    assert_allclose(told.scale, seen.scale, rtol=1e-12)
    assert told.score is not None
    assert seen.score is not None
    assert_allclose(told.score, seen.score, atol=1e-10 * np.abs(seen.score).max())
    if seen.observed is None:
        assert told.observed is None
    else:
        assert_allclose(told.observed, seen.observed, rtol=1e-11, atol=1e-11)
    ones = oracle.coordinates.working(oracle.coordinates.layout.constant)
    assert abs(float(told.score @ ones)) < 1e-9 * ROWS


@pytest.mark.parametrize(
    ("family", "link", "metric"),
    [("gamma", "log", True), ("poisson", "log", False), ("gaussian", "identity", False)],
)
def test_a_constant_information_is_the_metric_of_the_first_step(family: str, link: str, metric: bool) -> None:
    _, begun = looked("y ~ x + g", family, link)
    assert begun is not None
    assert (begun.metric is not None) == metric
    assert (begun.local.observed is None) == metric


def test_least_squares_that_are_worse_than_the_constant_are_no_opening() -> None:
    _, begun = looked("y ~ x + g", "poisson", "log")
    assert begun is not None
    value = begun.local.value
    assert looked("y ~ x + g", "poisson", "log", constant=value + 1.0)[1] is None
    assert looked("y ~ x + g", "poisson", "log", constant=math.nan)[1] is None
    assert looked("y ~ x + g", "gamma", "identity")[1] is None


def test_a_climb_that_begins_elsewhere_looks_for_itself() -> None:
    oracle, begun = looked("y ~ x + g", "gamma", "log")
    assert begun is not None
    here, there = begun.newton(oracle, begun.beta), begun.newton(oracle, begun.beta + 0.1)
    assert_allclose(here.beta, there.beta, atol=1e-8)
    assert here.steps[0].information == "kept"
    assert there.steps[0].information == "observed"


def test_growth_without_a_rate_is_the_way() -> None:
    assert grown(0.0, 2.5) == 2.5
    assert grown(-1.0, 1.0) == pytest.approx(1.0 - math.exp(-1.0))
