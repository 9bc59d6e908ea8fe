"""Maxima whose coefficients float64 does not hold: found in the etas of some rows, and said to be so."""

from __future__ import annotations

import warnings
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu._base.rational import exact, inverse, product, rounded
from etamu.solve.outcome import Outcome

CANCELS = {"y": [1e-10, 8e5, 40.0], "x": [-3e-14, -7e-13, -1e-12], "z": [2017.0, 2008.0, 2015.0]}
"""The terms of eta are of 1e22, and what is left of them in the second row is 1.6e-12."""


def fitted(formula: str, data: dict[str, Any], **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", em.EtamuWarning)
        return em.glm(formula, data, **options)


def test_coefficients_are_those_of_the_exact_solution_to_their_last_digit() -> None:
    fit = fitted("y ~ x + z", CANCELS, family="gamma", link="inverse_squared")
    assert fit.outcome is Outcome.PRECISION
    columns = np.stack([np.ones(3), CANCELS["x"], CANCELS["z"]], axis=1)
    eta = [1 / Fraction(y) ** 2 for y in CANCELS["y"]]  # as many rows as coefficients: every mean is its y
    back = inverse([exact(row) for row in columns])
    assert back is not None
    right = rounded([row[0] for row in product(back, [[each] for each in eta])])
    assert fit.coef == pytest.approx(right, rel=1e-15)


def test_what_is_summed_over_rows_is_that_of_the_maximum() -> None:
    fit = fitted("y ~ x + z", CANCELS, family="gamma", link="inverse_squared")
    assert fit.deviance < 1e-20
    assert fit.null_deviance == pytest.approx(fitted("y ~ 1", CANCELS, family="gamma").deviance, rel=1e-12)
    assert np.isnan(fit.se).all()
    assert not fit.converged
    assert "local" in fit.existence.outcome
    with pytest.raises(em.NotAvailableError, match="too few digits"):
        fit.conf_int(method="profile")


def test_the_warning_names_the_columns_whose_terms_cancel_and_says_what_is_right() -> None:
    with pytest.warns(em.ConvergenceWarning, match=r"In row 1 terms of Intercept, z as large as .*cancel"):
        em.glm("y ~ x + z", CANCELS, family="gamma", link="inverse_squared")


def test_an_edge_is_found_however_light_the_rows_that_fit_beside_it() -> None:
    """Rows of 0 weigh 1e79 times as much as the others, whose own maxima are inside."""
    data = {"g": list("abcde"), "y": [0.25, 0.0, 0.0, 0.0, 0.25], "w": [1e-22, 1e-17, 1e57, 1e53, 1e-50]}
    fit = fitted("y ~ g", data, family=em.Quasi("mu^0.5"), link=em.Power(1.5), variance_weights="w")
    assert fit.outcome is Outcome.BOUNDARY
    assert fit.predict() == pytest.approx(data["y"], rel=1e-9, abs=1e-9)


def test_a_light_row_keeps_its_maximum_beside_the_rounding_of_heavy_ones() -> None:
    data = {"x": [2021.0, 2011.0, 1997.0], "z": [-1.0, -1.0, 3.0], "y": [1.8, 2.0, 6.6]}
    fit = fitted("y ~ x + z", data, family="quasipoisson", variance_weights=[4e-49, 6e45, 3e-52])
    assert fit.predict() == pytest.approx(data["y"], rel=1e-9)


def test_rows_that_can_be_held_are_left_alone() -> None:
    data = {"y": [1.0, 2.0, 4.0, 3.0], "x": [0.0, 1.0, 2.0, 4.0]}
    fit = fitted("y ~ x", data, family="gamma")
    assert fit.converged
    assert fit.solution.eta is None
