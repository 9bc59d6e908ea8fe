"""Predictions along a column: its range or its levels, the other columns where data commonly are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import etamu as em
from etamu.vector.along import POINTS, along

N = 120
RNG = np.random.default_rng(2)
DATA = pd.DataFrame(
    {
        "x": RNG.normal(size=N),
        "g": RNG.choice(["u", "v", "w"], N, p=[0.2, 0.2, 0.6]),
        "k": RNG.integers(0, 4, N),
        "b": RNG.integers(0, 2, N) > 0,
        "e": RNG.uniform(1.0, 2.0, N),
    }
)
DATA["y"] = np.array(["a", "b", "c"])[np.digitize(DATA["x"] + RNG.logistic(size=N), [-1.0, 1.0])]
DATA["n"] = RNG.poisson(2.0, N)


@pytest.fixture(scope="module")
def fit():
    return em.glm("y ~ x + g + C(k) + b", DATA, family=em.Multinomial())


def test_a_number_has_its_range_and_a_factor_its_levels(fit):
    line = along(fit, "x")
    assert (line.values[0], line.values[-1]) == (DATA["x"].min(), DATA["x"].max())
    assert line.predicted.estimate.shape == (POINTS, 3)
    assert line.at["g"] == "w"
    assert along(fit, "g").levels == ("u", "v", "w")
    assert along(fit, "k").values.tolist() == [0.0, 1.0, 2.0, 3.0]
    assert along(fit, "b").levels == ("False", "True")


def test_it_is_the_prediction_at_these_places(fit):
    found = along(fit, "g", at={"x": 0.5, "k": 2, "b": True})
    new = {"g": ["u", "v", "w"], "x": [0.5] * 3, "k": [2] * 3, "b": [True] * 3}
    np.testing.assert_allclose(found.predicted.estimate, fit.predict(new))


def test_an_exposure_is_one_there():
    fit = em.glm("n ~ x", DATA, family=em.HurdlePoisson(), exposure="e")
    found = along(fit, "x")
    new = {"x": found.values, "e": np.ones(POINTS)}
    np.testing.assert_allclose(found.predicted.estimate, fit.predict(new))


def test_a_column_that_is_not_there_is_refused_with_those_that_are(fit):
    with pytest.raises(em.OptionError, match="no column 'q'; there are 'x'"):
        along(fit, "q")
    with pytest.raises(em.NotAvailableError, match="matrix"):
        along(em.GLM(family=em.Multinomial()).fit(DATA[["x"]].to_numpy(), DATA["y"]))
