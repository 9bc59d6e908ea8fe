"""An oracle on a flat: against the whole oracle, and against a solution by Lagrange."""

from __future__ import annotations

import math

import numpy as np
import pytest

from etamu._base.types import Want
from etamu.solve.direction import FINAL
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome
from etamu.solve.restricted import Restricted, across
from tests.solve.problems import Rows, least_squares, maxima

ORIGIN = np.array([0.2, -0.1, 0.3])
BASIS = np.array([[1.0, 0.0], [0.5, -2.0], [0.0, 3.0]])
GAMMA = np.array([0.1, -0.05])


def flat(name: str = "logistic") -> Restricted:
    return Restricted(maxima()[name][0], ORIGIN, BASIS)


def test_the_size_is_the_number_of_directions_left() -> None:
    assert flat().size == 2


def test_a_point_is_lifted_to_origin_and_basis() -> None:
    np.testing.assert_allclose(flat().lifted(GAMMA), [0.3, 0.05, 0.15], rtol=1e-14)
    np.testing.assert_array_equal(flat().lifted(np.zeros(2)), ORIGIN)


@pytest.mark.parametrize("name", ["logistic", "gamma log", "cauchit"])
def test_it_is_the_oracle_of_the_rows_in_the_new_coordinates(name: str) -> None:
    """With the origin at 0 the flat is a model with rows x N."""
    whole = maxima()[name][0]
    direct = Rows(whole.x @ BASIS, whole.y, whole.row, whole.concordance)
    here = Restricted(whole, np.zeros(3), BASIS).at(GAMMA, FINAL)
    there = direct.at(GAMMA, FINAL)
    assert here.value == pytest.approx(there.value, rel=1e-13)
    np.testing.assert_allclose(here.score, there.score, rtol=1e-10, atol=1e-10)
    np.testing.assert_allclose(here.expected, there.expected, rtol=1e-11)
    np.testing.assert_allclose(here.observed, there.observed, rtol=1e-11)


def test_informations_are_symmetric_to_the_bit() -> None:
    local = flat("gamma log").at(GAMMA, FINAL)
    assert local.expected is not None
    assert local.observed is not None
    np.testing.assert_array_equal(local.expected, local.expected.T)
    np.testing.assert_array_equal(local.observed, local.observed.T)


def test_what_is_not_asked_is_not_answered() -> None:
    local = flat().at(GAMMA, Want.VALUE)
    assert (local.score, local.expected, local.observed) == (None, None, None)


def test_the_unit_of_the_value_is_the_oracle_s() -> None:
    dispersed = flat("gamma log")
    assert dispersed.at(GAMMA, FINAL).scale == dispersed.oracle.at(dispersed.lifted(GAMMA), FINAL).scale
    assert dispersed.at(GAMMA, FINAL).scale != 1.0


def test_the_extent_bounds_the_rows_and_is_theirs_along_an_axis() -> None:
    one = flat()
    assert np.all(one.extent >= np.abs(one.oracle.x @ BASIS).max(axis=0))  # type: ignore[attr-defined]
    axis = Restricted(one.oracle, ORIGIN, np.eye(3)[:, 1:2])
    assert axis.extent == pytest.approx(one.oracle.extent[1:2])


def test_the_longest_row_is_found_among_the_rows_in_the_new_coordinates() -> None:
    one, covariance = flat(), np.array([[2.0, 0.3], [0.3, 0.5]])
    rows = one.oracle.x @ BASIS  # type: ignore[attr-defined]
    longest = max(float(row @ covariance @ row) for row in rows)
    assert one.longest(covariance) == pytest.approx(longest, rel=1e-12)


def test_reach_and_properties_are_those_of_the_domain() -> None:
    whole, start = maxima()["log binomial"]
    one = Restricted(whole, start, BASIS)
    assert one.restricted
    assert one.concordance == whole.concordance == 1.0
    slopes = whole.x @ BASIS @ np.array([1.0, 0.5])
    edge = min(-eta / slope for eta, slope in zip(whole.x @ start, slopes, strict=True) if slope > 0)
    assert one.reach(np.zeros(2), np.array([1.0, 0.5])) == pytest.approx(edge, rel=1e-12)


def test_no_direction_left_is_a_point() -> None:
    point = Restricted(maxima()["logistic"][0], ORIGIN, np.zeros((3, 0)))
    assert point.size == 0
    assert point.extent.shape == (0,)
    assert point.at(np.zeros(0), Want.VALUE).value == point.oracle.at(ORIGIN, Want.VALUE).value


def test_the_maximum_on_a_flat_is_that_of_lagrange() -> None:
    """Least squares under a'beta = b, from the saddle point system."""
    whole = maxima()["quadratic"][0]
    whole = Rows(whole.x, whole.y, least_squares)
    a, b = np.array([1.0, -2.0, 0.5]), 0.75
    saddle = np.block([[whole.x.T @ whole.x, a[:, None]], [a[None, :], np.zeros((1, 1))]])
    expected = np.linalg.solve(saddle, np.append(whole.x.T @ whole.y, b))[:3]
    one = Restricted(whole, a * b / float(a @ a), across(a, whole.extent))
    solution = newton(one, np.zeros(2))
    assert solution.outcome is Outcome.CONVERGED
    np.testing.assert_allclose(one.lifted(solution.beta), expected, rtol=1e-8)


@pytest.mark.parametrize("p", [1, 2, 5])
def test_a_basis_across_leaves_the_functional_and_spans_the_rest(p: int) -> None:
    rng = np.random.default_rng(p)
    functional, extent = rng.normal(size=p), rng.uniform(0.1, 10.0, p)
    basis = across(functional, extent)
    assert basis.shape == (p, p - 1)
    np.testing.assert_allclose(functional @ basis, 0.0, atol=1e-13)
    assert np.linalg.matrix_rank(np.column_stack([functional, basis])) == p


def test_columns_of_a_basis_are_orthonormal_in_units_of_the_extent() -> None:
    extent = np.array([1e-8, 1.0, 1e6, 3.0])
    scaled = extent[:, None] * across(np.array([1e-8, -2.0, 3e6, 1.0]), extent)
    np.testing.assert_allclose(scaled.T @ scaled, np.eye(3), atol=1e-12)


def test_units_cost_no_digits() -> None:
    """Scaled by powers of two, functional and basis change by exactly these."""
    functional, extent = np.array([1.0, -2.5, 0.3]), np.array([1.0, 2.0, 4.0])
    units = np.array([2.0**-40, 1.0, 2.0**30])
    plain, scaled = across(functional, extent), across(functional * units, extent * units)
    signs = np.sign(plain[0] * scaled[0])
    np.testing.assert_array_equal(scaled * units[:, None] * signs, plain)


def test_a_column_of_zeros_counts_as_of_extent_one_and_the_columns_point_up() -> None:
    functional = np.array([1.0, 2.0, -4.0])
    basis = across(functional, np.array([0.0, 1.0, 2.0]))
    np.testing.assert_array_equal(basis, across(functional, np.array([1.0, 1.0, 2.0])))
    assert np.all(basis.sum(axis=0) >= 0)
    assert math.isfinite(float(basis.sum()))
