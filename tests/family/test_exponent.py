"""The exponent y theta - b(theta) and the largest one are the deviance taken apart."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import etamu as em
from etamu.family.exponent import Exponent, Highest, differing
from etamu.family.links import Identity, Log, Logit
from etamu.family.program import compiled, traced
from etamu.family.unit import Unit
from tests.catalogue import CUBIC, SECANT

pytest.importorskip("sympy")

ABEL = em.derive(variance="mu * (1 + mu)**2")
PROPORTION = em.derive(variance="mu**2 * (1 - mu)**2")
UNITS = {
    "secant, identity": (Unit(SECANT, Identity()), np.linspace(-40.0, 40.0, 17)),
    "secant, canonical": (Unit(SECANT, SECANT.canonical), np.linspace(-1.5, 1.5, 17)),
    "cubic, log": (Unit(CUBIC, Log()), np.linspace(-8.0, 8.0, 17)),
    "cubic, canonical": (Unit(CUBIC, CUBIC.canonical), -np.geomspace(1e-3, 1e3, 17)),
    "abel, log": (Unit(ABEL, Log()), np.linspace(-8.0, 8.0, 17)),
    "proportion, logit": (Unit(PROPORTION, Logit()), np.linspace(-8.0, 8.0, 17)),
}
RESPONSES = {
    "secant": np.array([-30.0, -1.0, 0.0, 0.4, 25.0]),
    "cubic": np.array([1e-3, 0.4, 1.0, 7.0, 300.0]),
    "abel": np.array([0.0, 1.0, 2.0, 30.0]),
    "proportion": np.array([0.01, 0.3, 0.5, 0.97]),
}


def grid(name: str) -> tuple[Unit, np.ndarray, np.ndarray]:
    """Return a unit, and every response at every eta."""
    unit, etas = UNITS[name]
    y, eta = np.meshgrid(RESPONSES[name.split(",", maxsplit=1)[0]], etas)
    return unit, y.ravel(), eta.ravel()


@pytest.mark.parametrize("name", UNITS)
def test_exponent_less_the_largest_one_is_minus_half_the_deviance(name):
    unit, y, eta = grid(name)
    assert unit.family.exponent_stated
    whole = unit.bind(np)((y,), eta)[0]
    value = Exponent(unit).bind(np)((y,), eta)[0]
    most = Highest(unit).bind(np)((y,), eta)[0]
    mu, complement = unit.mean(np, eta)[:2]
    theta = np.abs(unit.family.natural(np, mu, complement))
    # What their difference can keep: y times what theta loses, which has terms of the size of log mu.
    size = np.abs(most) + np.abs(y) * (theta + np.abs(np.log(np.abs(mu) + 1e-300)) + 1.0) + np.abs(value)
    assert np.all(np.abs(value - most - whole) <= 1e-14 * size)


@pytest.mark.parametrize("name", UNITS)
def test_score_and_information_are_those_of_the_deviance(name):
    unit, y, eta = grid(name)
    for information in ("expected", "observed"):
        mine = Exponent(unit).bind(np, information)((y,), eta)
        theirs = unit.bind(np, information)((y,), eta)
        assert_array_equal(mine[1], theirs[1])
        assert_array_equal(mine[2], theirs[2])


@pytest.mark.parametrize("name", UNITS)
def test_the_kernel_sums_the_same_exponents(name):
    unit, y, eta = grid(name)
    for of in (Exponent(unit), Highest(unit)):
        program = compiled(of, 1, ("value",))
        if program is None:
            pytest.skip("no kernel")
        assert_allclose(program.run([y, eta])[0], of.bind(np)((y,), eta)[0], rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", UNITS)
def test_an_exponent_takes_less_than_a_deviance(name):
    unit, _ = UNITS[name]
    wanted = ("value", "score", "expected")
    mine, theirs = traced(Exponent(unit), 1, wanted), traced(unit, 1, wanted)
    assert mine is not None
    assert theirs is not None
    assert len(mine.code) < 0.6 * len(theirs.code)


def test_a_mean_on_an_end_is_no_point_to_go_to():
    unit = Unit(CUBIC, Log())
    with np.errstate(all="ignore"):
        value = Exponent(unit).bind(np)((np.array([1.0, 1.0]),), np.array([-800.0, -700.0]))[0]
    assert np.all((value == -np.inf) | (value < -1e290))


def test_what_cancels_is_seen():
    unit, one = Unit(SECANT, Identity()), np.ones(3)
    y = np.array([-1.0, 0.5, 2.0])
    assert differing(unit, (y,), np.zeros(3), one) < 1e-14
    assert differing(unit, (y,), y + 1e-6, one) > 1e-7
    assert differing(unit, (y,), y, one) == np.inf


def test_families_of_the_catalogue_state_none():
    assert not em.Gamma().exponent_stated
    assert not em.derive(variance="mu**2").exponent_stated  # it is the gamma family, and has its formulas
    assert not em.derive(variance="1 + mu**4").exponent_stated  # theta by quadrature
