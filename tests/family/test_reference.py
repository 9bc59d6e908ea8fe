"""The reference is checked too: its derivatives by differentiation, its grids by what they hold."""

from __future__ import annotations

import mpmath as mp
import numpy as np
import pytest

from tests.catalogue import ETA, OWN, UNITS, crossed, grid, responses
from tests.family import reference

MODERATE = {1.5, -0.2, 0.3, 5.0}


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_reference_score_and_information_are_derivatives_of_the_reference_value(unit):
    family, link = unit.family, unit.link
    y = responses(family)[responses(family) <= 5.0][-1]
    for eta in (float(e) for e in grid(unit) if e in MODERATE):
        with mp.workdps(60):
            row = reference.unit(family, link, y, eta)

            def value(e, y=y):
                return reference.unit(family, link, y, e).value

            size = abs(row.score) + abs(row.observed) + abs(row.expected) + 1
            assert abs(mp.diff(value, eta) - row.score) < 1e-15 * size
            assert abs(-mp.diff(value, eta, 2) - row.observed) < 1e-10 * size


@pytest.mark.parametrize("unit", UNITS, ids=str)
def test_every_grid_holds_several_eta_and_both_ends(unit):
    eta = grid(unit)
    assert eta.size >= 4
    assert np.all(unit.domain.contains(eta))
    if unit.domain.upper == np.inf:
        assert 700.0 in eta
    if unit.domain.lower == -np.inf:
        assert -700.0 in eta


@pytest.mark.parametrize("family", OWN, ids=str)
def test_responses_hold_the_boundary_and_the_interior_of_the_support(family):
    y = responses(family)
    assert y.size >= 2
    assert np.all(family.support.contains(y))
    if family.support.interval.closed_lower:
        assert family.support.interval.lower in y
    if family.support.interval.closed_upper:
        assert family.support.interval.upper in y


def test_crossing_pairs_every_response_with_every_eta():
    for unit in UNITS:
        y, eta = crossed(unit)
        assert len(set(zip(y, eta, strict=True))) == responses(unit.family).size * grid(unit).size


def test_the_grid_looks_at_the_tails_that_the_plan_names():
    assert {-700.0, -40.0, -37.0, -5.0, -1.0, -1e-8, 0.0, 1e-8, 1.0, 5.0, 37.0, 40.0, 700.0} <= set(ETA)
