"""Maxima on an edge: proved by the multipliers of the rows held there, whatever columns and weights."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.solve.outcome import Outcome


def fitted(formula: str, data: dict[str, Any], **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", em.EtamuWarning)
        return em.glm(formula, data, **options)


def test_every_row_is_as_far_inside_as_its_own_rounding_asks() -> None:
    """Beside an offset of -700 float64 tells an eta to 1e-13 only; the other levels have none."""
    data = {"g": list("abc"), "y": [0.0, 0.0, 0.0], "w": [1e5, 1e3, 1.0], "o": [0.0, -700.0, 0.0]}
    options: dict[str, Any] = {"family": em.Tweedie(1.5), "link": em.Power(1.5), "offset": "o"}
    fit = fitted("y ~ 0 + g", data, frequency_weights="w", **options)
    assert fit.outcome is Outcome.BOUNDARY
    assert fit.coef[[0, 2]] == pytest.approx([0.0, 0.0], abs=1e-50)
    assert fit.coef[1] == pytest.approx(700.0, abs=1e-11)


def test_an_end_that_is_not_0_is_held_whatever_weights_say() -> None:
    data = {"x": [2.04, -2.56, 0.42], "z": [2011.0, 2006.0, 1999.0], "m": [6.0, 6.0, 7.0]}
    data |= {"y": data["m"], "w": [3.6e-4, 6.2e32, 4.4e-57]}
    options: dict[str, Any] = {"family": "binomial", "link": "identity", "trials": "m"}
    fit = fitted("y ~ x + z", data, variance_weights="w", **options)
    assert fit.outcome is Outcome.BOUNDARY
    assert fit.predict() == pytest.approx([1.0, 1.0, 1.0], abs=1e-12)


def test_rows_on_the_edge_that_would_leave_are_let_go() -> None:
    """The row that a climb comes to first has next to no weight; what holds the others is not there."""
    rng = np.random.default_rng(3)
    x, z = rng.normal(size=12), rng.normal(size=12)
    y = np.where(x > 0.0, 0.0, 1.0 + x**2)
    weight = 10.0 ** rng.uniform(-30.0, 30.0, 12)
    fit = fitted("y ~ x + z", {"x": x, "z": z, "y": y, "w": weight}, family="quasipoisson", link="identity",
                 variance_weights="w")  # fmt: skip
    assert fit.outcome is Outcome.BOUNDARY
    eta = fit.predict(kind="link")
    on = eta < 1e-9
    assert 0 < on.sum() <= 3
    columns = np.stack([np.ones(12), x, z], axis=1)
    score = weight * (np.where(y > 0.0, y / np.where(on, 1.0, eta), 0.0) - 1.0)
    free, held = columns[~on].T @ score[~on], columns[on].T
    shares = np.linalg.lstsq(held, -free, rcond=None)[0] - score[on] * 0.0
    left = np.abs(free + held @ shares) / (np.abs(columns).T @ np.abs(score))
    assert np.all(left < 1e-8)
    assert np.all(shares >= score[on] - 1e-9 * np.abs(score[on]))  # each holds what its own score leaves


def test_rows_whose_eta_is_that_of_rows_held_are_held_with_them() -> None:
    """Every response is at the end, and every row: more of them than there are coefficients."""
    data = {"x": [0.3, -1.2, 0.8, 0.1, -0.4, 1.7], "m": [3.0, 5.0, 2.0, 4.0, 1.0, 6.0], "o": [0.1] * 6}
    weight = [1e-45, 1e-30, 1e-5, 21.0, 1e-12, 1e-60]
    options: dict[str, Any] = {"trials": "m", "offset": "o", "sampling_weights": weight}
    fit = fitted("y ~ x", data | {"y": data["m"]}, family="binomial", link="inverse", **options)
    assert fit.outcome is Outcome.BOUNDARY
    assert fit.predict() == pytest.approx(np.ones(6), abs=1e-12)
