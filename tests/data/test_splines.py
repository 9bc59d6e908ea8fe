"""B-splines and natural splines: against SciPy, differences and the conditions that define them."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import BSpline, CubicSpline

from etamu._base.errors import DataError, EtamuWarning
from etamu.data.splines import (
    augmented,
    cardinal_map,
    dense_values,
    derivatives,
    local_values,
    natural_map,
    quantile_knots,
)

INTERIOR = np.array([0.3, 1.1, 1.1, 2.6])
ENDS = (-0.5, 3.0)
DEGREES = [1, 2, 3, 5]


def inside() -> np.ndarray:
    return np.concatenate([np.linspace(*ENDS, 41)[:-1], [0.3, 2.6, 2.9999]])


def scipy_columns(knots, degree, x, order=0) -> np.ndarray:
    spline = BSpline(knots, np.eye(len(knots) - degree - 1), degree)
    return spline(x, nu=order).T


def test_each_boundary_knot_stands_degree_plus_one_times() -> None:
    assert augmented(np.array([1.0]), (0.0, 2.0), 2).tolist() == [0, 0, 0, 1, 2, 2, 2]
    assert augmented(np.empty(0), (0.0, 2.0), 0).tolist() == [0, 2]


@pytest.mark.parametrize("degree", DEGREES)
def test_values_are_scipys_between_and_beyond_the_boundary(degree) -> None:
    knots = augmented(INTERIOR, ENDS, degree)
    x = np.concatenate([inside(), [-1.7, 3.0, 4.2]])
    np.testing.assert_allclose(
        dense_values(knots, degree, x), scipy_columns(knots, degree, x), rtol=1e-11, atol=1e-13
    )


@pytest.mark.parametrize("degree", [0, *DEGREES])
def test_local_values_are_the_dense_ones_that_may_not_be_zero(degree) -> None:
    knots = augmented(np.array([0.3, 1.1, 2.6]), ENDS, degree)
    x = inside()
    first, values = local_values(knots, degree, x)
    dense = dense_values(knots, degree, x)
    assert values.shape == (degree + 1, len(x))
    rows = first + np.arange(degree + 1)[:, None]
    np.testing.assert_array_equal(np.take_along_axis(dense, rows, axis=0), values)
    np.put_along_axis(dense, rows, 0.0, axis=0)
    assert not dense.any()
    np.testing.assert_allclose(values.sum(axis=0), 1.0, rtol=1e-14)
    assert (values >= 0).all()


def test_degree_zero_tells_the_interval_that_holds_x() -> None:
    knots = np.array([0.0, 1.0, 2.0, 4.0])
    dense = dense_values(knots, 0, np.array([0.0, 0.99, 1.0, 3.0, 4.0, 9.0, -9.0]))
    assert dense.argmax(axis=0).tolist() == [0, 0, 1, 2, 2, 2, 0]
    assert dense.sum() == 7.0


@pytest.mark.parametrize("degree", [0, 1, 3])
def test_nan_gives_nan_in_every_column_and_in_no_other_row(degree) -> None:
    knots = augmented(np.array([1.0]), (0.0, 2.0), degree)
    x = np.array([0.5, np.nan, 1.5])
    dense = dense_values(knots, degree, x)
    assert np.isnan(dense[:, 1]).all()
    np.testing.assert_array_equal(dense[:, [0, 2]], dense_values(knots, degree, x[[0, 2]]))


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize("degree", [3, 5])
def test_derivatives_are_scipys(degree, order) -> None:
    knots = augmented(INTERIOR, ENDS, degree)
    x = inside()
    np.testing.assert_allclose(
        derivatives(knots, degree, x, order), scipy_columns(knots, degree, x, order), rtol=1e-9, atol=1e-9
    )


def test_derivatives_are_slopes_between_neighbours_and_order_zero_the_values() -> None:
    knots = augmented(INTERIOR, ENDS, 3)
    x, h = np.array([0.0, 0.7, 2.0, 2.8]), 1e-5
    slope = (dense_values(knots, 3, x + h) - dense_values(knots, 3, x - h)) / (2 * h)
    np.testing.assert_allclose(derivatives(knots, 3, x, 1), slope, rtol=1e-7, atol=1e-7)
    np.testing.assert_array_equal(derivatives(knots, 3, x, 0), dense_values(knots, 3, x))


@pytest.mark.parametrize("intercept", [True, False])
def test_natural_combinations_are_orthonormal_and_do_not_bend_at_the_ends(intercept) -> None:
    knots = augmented(np.array([0.3, 1.1, 2.6]), ENDS, 3)
    natural = natural_map(knots, intercept)
    m = len(knots) - 4
    assert natural.shape == (m, m - 2 if intercept else m - 3)
    np.testing.assert_allclose(natural.T @ natural, np.eye(natural.shape[1]), atol=1e-14)
    bent = scipy_columns(knots, 3, np.array(ENDS), 2)
    np.testing.assert_allclose(natural.T @ bent, 0.0, atol=1e-12)
    assert (natural[0] == 0).all() == (not intercept)


def test_natural_combinations_with_intercept_hold_every_straight_line() -> None:
    knots = augmented(np.array([0.3, 1.1, 2.6]), ENDS, 3)
    x = inside()
    columns = dense_values(knots, 3, x).T @ natural_map(knots, True)
    for line in (np.ones_like(x), 2.0 - 3.0 * x):
        solution = np.linalg.lstsq(columns, line)[0]
        np.testing.assert_allclose(columns @ solution, line, atol=1e-12)


def test_cardinal_splines_interpolate_as_scipys_natural_cubic_does() -> None:
    interior = np.array([0.3, 1.1, 2.6])
    knots = augmented(interior, ENDS, 3)
    places = np.array([ENDS[0], *interior, ENDS[1]])
    reference = CubicSpline(places, np.eye(5), bc_type="natural")
    x = inside()
    np.testing.assert_allclose(dense_values(knots, 3, x).T @ cardinal_map(knots), reference(x), atol=1e-13)


def test_quantile_knots_leave_equal_shares_of_x_between_them() -> None:
    x = np.random.default_rng(3).permutation(np.arange(101.0))
    assert quantile_knots("bs", x, 3, (0.0, 100.0)).tolist() == [25.0, 50.0, 75.0]
    assert quantile_knots("bs", x, 1, (0.0, 50.0)).tolist() == [25.0]  # x beyond the bounds does not count
    assert quantile_knots("bs", x, 0, (0.0, 100.0)).shape == (0,)


def test_knots_on_a_boundary_move_an_eighth_inside_with_a_warning() -> None:
    x = np.array([0.0, 0, 0, 0, 4, 8, 9, 10])
    with pytest.warns(EtamuWarning, match="bs: x takes the boundary value 0 so often"):
        low = quantile_knots("bs", x, 3, (0.0, 10.0))
    untouched = np.quantile(x, [0.5, 0.75])
    np.testing.assert_allclose(low, [untouched[0] / 8, *untouched])
    with pytest.warns(EtamuWarning, match="boundary value 10 so often"):
        high = quantile_knots("bs", 10.0 - x, 3, (0.0, 10.0))
    np.testing.assert_allclose(high, 10.0 - low[::-1])


def test_bounds_that_hold_no_x_and_ties_everywhere_are_refused() -> None:
    with pytest.raises(DataError, match=r"ns: no value of x lies in boundary_knots=\(5, 6\); give bounds"):
        quantile_knots("ns", np.arange(4.0), 0, (5.0, 6.0))
    for x, end in (([0, 0, 0, 0, 1], "0"), ([0, 1, 1, 1, 1], "1")):
        with pytest.raises(DataError, match=f"every interior knot falls on the boundary knot {end}, which"):
            quantile_knots("ns", np.array(x, dtype=float), 2, (0.0, 1.0))
