"""Powers of two are taken out of what is far out, and given back to everything a fit holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from etamu.family import catalogue
from etamu.fit.assemble import from_formula
from etamu.fit.inputs import Keywords
from etamu.fit.measure import measured
from etamu.fit.problem import Options, Problem

X = np.array([0.5, 1.0, 2.0, 3.0, 5.0, 8.0])
Y = np.array([1.0, 3.0, 2.0, 5.0, 4.0, 7.0])


def problem(
    family: str = "gaussian", link: str | None = None, formula: str = "y ~ x", **columns: Any
) -> Problem:
    data = {"y": Y, "x": X} | columns
    names = {"offset": "o", "variance_weights": "w"}
    keywords = Keywords(**{keyword: name for keyword, name in names.items() if name in data})
    return from_formula(formula, data, catalogue.unit(family, link), keywords, "drop", Options())


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"y": Y * 1e15},
        {"w": Y},
        {"w": Y * 1e100},
        {"o": X},
        {"o": np.array([0.0, 0.0, 0.0, 0.0, 0.0, 700.0])},
        {"family": "poisson", "y": Y * 1e15},
        {"family": "quasipoisson", "link": "log", "formula": "y ~ 0 + x", "y": Y * 1e200},
    ],
    ids=[
        "plain",
        "1e15",
        "weights",
        "heavy weights",
        "small offset",
        "one far offset",
        "counts",
        "log link without intercept",
    ],
)
def test_what_float64_carries_is_left_alone(asked: dict[str, Any]) -> None:
    assert measured(problem(**asked)) is None


def test_a_response_is_divided_by_a_power_of_two_that_its_roots_can_bear() -> None:
    found = measured(problem(y=Y * 1e200, family="gamma", link="sqrt"))
    assert found is not None
    scaled, measure = found
    assert measure.response % 12 == 0
    assert measure.slope == measure.response / 2
    np.testing.assert_array_equal(scaled.chunk.y[0] * 2.0**measure.response, Y * 1e200)
    assert 1e-3 < scaled.chunk.y[0].max() < 1e3


@pytest.mark.parametrize(("size", "largest"), [(1e-200, 1.0), (1e300, 1e277)])
def test_weights_are_brought_to_where_their_sums_are(size: float, largest: float) -> None:
    found = measured(problem(w=np.full(6, size)))
    assert found is not None
    weights = found[0].chunk.weights.variance
    assert weights is not None
    assert 0.1 < weights.max() / largest < 10.0
    assert found[1].weight % 2 == 0


def test_only_the_common_part_of_an_offset_moves() -> None:
    found = measured(problem(o=X + 700.0, family="poisson"))
    assert found is not None
    offset = found[0].chunk.predictors[0].offset
    assert offset is not None
    assert np.abs(offset).max() < 10
    np.testing.assert_array_equal(np.diff(offset), np.diff(X + 700.0))
    assert measured(problem(o=np.array([700.0, -700.0] * 3), family="poisson")) is None
