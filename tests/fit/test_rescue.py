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
        # The maximum is at eta = 1e-24, which beside an offset of 0.1 float64 does not tell from the edge.
        ("y ~ x", SAME, {"family": em.Tweedie(1.05), "link": "inverse_squared", "offset": "o"}),
    ],
    ids=["steep", "flat", "levels", "rounding"],
)
def test_a_maximum_on_the_edge_is_said_to_be_there(
    formula: str, data: dict[str, Any], options: dict[str, Any]
) -> None:
    fit = fitted(formula, data, **options)
    assert fit.outcome is Outcome.BOUNDARY
    assert np.nanmin(np.abs(fit.predict(kind="link"))) < 1e-10


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
