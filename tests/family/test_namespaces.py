"""A unit is written once: the same body runs under the strict array API (and is traced: test_program)."""

from __future__ import annotations

import array_api_strict
import numpy as np
import pytest

from etamu.family.borrowed import Binomial
from etamu.family.derived import Derived
from etamu.family.families import Bernoulli
from etamu.family.links import Logit
from etamu.family.stated import StatedLink
from etamu.family.unit import Unit
from tests.catalogue import DERIVED_UNITS, LINKS, UNITS, columns, crossed

TANH = StatedLink("(1 + tanh(eta)) / 2", "atanh(2 * mu - 1)", name="tanh", range=(0, 1))
ALL = (*UNITS, *DERIVED_UNITS, Unit(Binomial(), Logit()), Unit(Bernoulli(), TANH))

every_unit = pytest.mark.parametrize("unit", ALL, ids=str)
both = pytest.mark.parametrize("information", ["expected", "observed"])


@every_unit
@both
def test_strict_array_api_gives_what_numpy_gives(unit, information):
    y, eta = crossed(unit)
    rows = columns(unit, y)
    strict = tuple(array_api_strict.asarray(column) for column in rows)
    with np.errstate(all="ignore"):
        plain = unit.bind(np, information)(rows, eta)
        other = unit.bind(array_api_strict, information)(strict, array_api_strict.asarray(eta))
    for mine, theirs in zip(plain, other, strict=True):
        # NumPy reads a table where other namespaces search for a root, which leaves them a few digits less
        tables = isinstance(unit.family, Derived) and unit.family.named is unit.family
        np.testing.assert_allclose(np.asarray(theirs), mine, rtol=1e-9 if tables else 1e-15, atol=5e-308)


@pytest.mark.parametrize("link", LINKS, ids=str)
def test_link_maps_both_ways_under_the_strict_array_api(link):
    eta = np.array([0.2, 0.5, 0.9])
    strict = link.inverse(array_api_strict, array_api_strict.asarray(eta))
    for mine, theirs in zip(link.inverse(np, eta), strict, strict=True):
        np.testing.assert_allclose(np.asarray(theirs), mine, rtol=1e-15)
    np.testing.assert_allclose(
        np.asarray(link.link(array_api_strict, strict.mu, strict.complement)), eta, rtol=1e-13
    )
