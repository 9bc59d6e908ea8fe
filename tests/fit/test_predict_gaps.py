"""Rows of new data that lack a value are predicted NaN, and the others as if those were not there."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests.samples import FORMULA, sample

UNIT = em.Unit(em.Poisson(), em.Poisson().canonical)


@pytest.fixture(scope="module")
def fit() -> em.Fit:
    data = sample(UNIT, 2)
    return em.glm(FORMULA, data | {"w": np.linspace(1.0, 2.0, 90)}, family="poisson", exposure="w")


def test_incomplete_rows_are_nan_and_the_others_unchanged(fit):
    new = {"x": [1.0, None, 3.0, 2.0], "z": [0.0, 0.1, 0.2, 0.3], "g": ["a", "b", None, "c"]}
    new["w"] = [1.0, 2.0, 1.0, np.nan]
    found = fit.predict(new, interval="confidence")
    first = fit.predict({name: values[:1] for name, values in new.items()}, interval="confidence")
    for part in ("estimate", "lower", "upper"):
        assert np.isnan(getattr(found, part)).tolist() == [False, True, True, True]
        np.testing.assert_array_equal(getattr(found, part)[:1], getattr(first, part))


def test_no_complete_row_is_no_error(fit):
    new = {"x": [None, 1.0], "z": [1.0, None], "g": ["a", "b"], "w": [1.0, 1.0]}
    assert np.isnan(fit.predict(new)).all()


def test_an_unseen_level_in_an_incomplete_row_is_not_met(fit):
    new = {"x": [None, 1.0], "z": [1.0, 1.0], "g": ["new", "b"], "w": [1.0, 1.0]}
    assert np.isnan(fit.predict(new)).tolist() == [True, False]
    new["x"] = [1.0, 1.0]
    with pytest.raises(em.DataError, match="the level 'new' in row 0"):
        fit.predict(new)


def test_what_a_function_cannot_compute_is_said_in_words():
    data = {"y": [1.0, 2.0, 3.0], "x": [1.0, 2.0, 4.0]}
    with pytest.raises(em.FormulaError, match=r"round\(x, x\) cannot be computed"):
        em.glm("y ~ round(x, x)", data)
