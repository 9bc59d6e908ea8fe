"""What a statement implies: intervals, closed forms, the ends of the support and the family it is."""

from __future__ import annotations

import math

import numpy as np
import pytest

from etamu.family import families as own
from etamu.family.borrowed import Tweedie
from etamu.family.facts import facts
from etamu.family.statement import Statement

pytest.importorskip("sympy")

CASES = {
    ("cumulant", "log(1 + exp(theta))"): ((0, 1), (-math.inf, math.inf), (0.0, 0.0), own.Bernoulli()),
    ("cumulant", "exp(theta)"): ((0, math.inf), (-math.inf, math.inf), (0.0, None), own.Poisson()),
    ("cumulant", "-log(-theta)"): ((0, math.inf), (-math.inf, 0), (None, None), own.Gamma()),
    ("cumulant", "-log(cos(theta))"): (
        (-math.inf, math.inf),
        (-math.pi / 2, math.pi / 2),
        (None, None),
        None,
    ),
    ("cumulant", "1/(1 - theta)"): ((0, math.inf), (-math.inf, 1), (0.0, None), None),
    ("variance", "mu**2*(1 + mu)"): ((0, math.inf), (-math.inf, 0), (None, None), None),
    ("variance", "1"): ((-math.inf, math.inf), (-math.inf, math.inf), (None, None), own.Gaussian()),
    ("variance", "mu**3"): ((0, math.inf), (-math.inf, 0), (None, None), own.InverseGaussian()),
    ("variance", "mu**1.7"): ((0, math.inf), (-math.inf, 0), (0.0, None), Tweedie(1.7)),
    ("variance", "mu + mu**2/3"): ((0, math.inf), (-math.inf, 0), (None, None), own.NegativeBinomial(3.0)),
    ("variance", "mu**2*(1 - mu)**2"): ((0, 1), (-math.inf, math.inf), (None, None), None),
    ("variance", "2*mu"): ((0, math.inf), (-math.inf, math.inf), (0.0, None), None),
}


@pytest.mark.parametrize("statement", CASES, ids=str)
def test_intervals_support_and_name(statement) -> None:
    means, natural, closed, named = CASES[statement]
    found = facts(Statement(*statement))
    assert (found.mean.lower, found.mean.upper) == means
    assert (found.natural.lower, found.natural.upper) == pytest.approx(natural, rel=1e-12)
    if statement[1] != "mu + mu**2/3":  # its conjugate at 0 is a constant of the integral
        assert [each is None for each in found.closed] == [each is None for each in closed]
    assert found.named == named


def test_facts_are_found_once() -> None:
    statement = Statement("variance", "mu**2*(1 + mu)")
    assert facts(statement) is facts(Statement("variance", "mu**2*(1 + mu)"))


def test_theta_of_a_large_mean_comes_from_its_tail() -> None:
    start, rate = facts(Statement("variance", "mu**2*(1 + mu)")).tail
    assert start == 4.0
    s = np.array([1e-9, 0.2])
    np.testing.assert_allclose(rate(np, s), s / (1 + s), rtol=1e-15)
    assert facts(Statement("variance", "mu")).tail is None


def test_zeros_at_the_ends_of_the_means_are_told_apart() -> None:
    assert facts(Statement("variance", "mu*(1 - mu)")).simple_ends == (True, True)
    assert facts(Statement("variance", "mu**2*(1 + mu)")).simple_ends == (False, False)
