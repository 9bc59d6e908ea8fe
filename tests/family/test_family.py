"""What a family is: supports and their words, the defaults of the abstract class, and borrowing."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu._base.types import LINE, Interval
from etamu.family import families as own
from etamu.family.family import Borrowed, Family, Support

POSITIVE = Interval(0.0, math.inf)
COUNTS = Interval(0.0, math.inf, closed_lower=True)


@dataclass(frozen=True, slots=True)
class Scaled(Borrowed):
    """A family with a setting that borrows all of NB2."""

    theta: float
    name = "scaled"

    @property
    def kin(self) -> Family:
        return own.NegativeBinomial(self.theta)


@pytest.mark.parametrize(
    ("support", "text"),
    [
        (Support(COUNTS, integer=True), "non-negative integers"),
        (Support(Interval(0, 1, closed_lower=True, closed_upper=True), integer=True), "0 or 1"),
        (Support(LINE), "any finite number"),
        (Support(POSITIVE), "positive numbers"),
        (Support(COUNTS), "non-negative numbers"),
        (Support(Interval(0, 1, closed_lower=True)), "numbers in [0, 1)"),
    ],
    ids=repr,
)
def test_a_support_says_what_it_holds(support, text) -> None:
    assert repr(support) == text


def test_nan_and_infinity_belong_to_no_support() -> None:
    wild = [math.nan, math.inf, -math.inf]
    for support in (Support(LINE), Support(COUNTS), Support(COUNTS, integer=True)):
        assert not support.contains(wild).any()
    assert not Support(Interval(0.0, math.inf, closed_upper=True)).contains(math.inf)


def test_ends_belong_where_closed_and_fractions_where_not_integer() -> None:
    values = [-1.0, 0.0, 0.5, 1.0, 2.0]
    assert Support(POSITIVE).contains(values).tolist() == [False, False, True, True, True]
    assert Support(COUNTS).contains(values).tolist() == [False, True, True, True, True]
    assert Support(COUNTS, integer=True).contains(values).tolist() == [False, True, False, True, True]
    assert Support(COUNTS).contains(np.array([[1, -1]])).shape == (1, 2)


@pytest.mark.parametrize("left_out", ["variance", "deviance", "start", "saturated", "support"])
def test_a_family_without_a_part_cannot_be_made(left_out) -> None:
    parts = dict.fromkeys(Family.__abstractmethods__ - {left_out})
    with pytest.raises(TypeError, match=f"abstract.*{left_out}"):
        type("Incomplete", (Family,), parts)()


def test_the_least_family_claims_nothing() -> None:
    family = type("Least", (Family,), dict.fromkeys(Family.__abstractmethods__) | {"name": "least"})()
    assert family.kin is family
    assert family.response == ("y",)
    assert (family.dispersion_known, family.has_density, family.any_link) == (False, True, False)
    assert family.variance_power is None
    assert family.likelihood_dispersion == "deviance"
    assert family.residual(np, 3.0, 1.0, 0.0) == 2.0
    assert str(family) == "least"


def test_a_borrowed_family_computes_what_textbook_formulas_of_its_kin_give() -> None:
    family, mu, y = Scaled(2.0), np.array([0.5, 3.0]), np.array([1.0, 7.0])
    assert_allclose(family.variance(np, mu, 1 - mu), mu + mu**2 / 2, rtol=1e-14)
    assert_allclose(family.dvariance(np, mu, 1 - mu), 1 + mu, rtol=1e-14)
    deviance = 2 * (y * np.log(y / mu) - (y + 2) * np.log((y + 2) / (mu + 2)))
    assert_allclose(family.deviance(np, y, mu, 1 - mu), deviance, rtol=1e-12)
    assert_allclose(family.residual(np, y, mu, 1 - mu), y - mu, rtol=0)
    assert repr(family.support) == "non-negative integers"


def test_a_borrowed_family_has_no_likelihood_until_it_states_one() -> None:
    assert np.isnan(Scaled(2.0).saturated((np.array([0.0, 4.0]),), np.ones(2))).all()


def test_the_text_of_a_family_names_its_settings() -> None:
    assert str(Scaled(2.5)) == "scaled(theta=2.5)"
    assert str(own.Poisson()) == "poisson"
