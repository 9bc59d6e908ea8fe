"""Stateful transforms: R's columns, replayed exactly, refused with a reason."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.interpolate import BSpline as Spline

from etamu._base.errors import DataError, EtamuWarning, FormulaError
from etamu._base.types import Array
from etamu.data.basis import STATEFUL, Basis, restore, settle

REFERENCE = json.loads((Path(__file__).parents[1] / "references" / "basis.json").read_text())
TERMS = [
    pytest.param(term, id=f"{case['id']}-{term['transform']}-{at}")
    for case in REFERENCE
    for at, term in enumerate(case["terms"])
]
CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = [
    ("poly", (4,), {}),
    ("poly", (), {"degree": 3, "raw": True}),
    ("bs", (), {}),
    ("bs", (), {"df": 7, "degree": 2, "intercept": True}),
    ("bs", (), {"knots": [-0.5, 0.1, 0.1, 0.7], "boundary_knots": (2, -2)}),
    ("ns", (), {"df": 5}),
    ("ns", (), {"knots": 0.3, "intercept": True, "Boundary.knots": [-1, 1]}),
    ("cs", (3,), {}),
    ("cr", (), {"df": 6}),
    ("scale", (), {}),
    ("center", (), {}),
]
EACH_CALL = pytest.mark.parametrize(
    ("name", "args", "kwargs"), CALLS, ids=[f"{c[0]}-{i}" for i, c in enumerate(CALLS)]
)


@pytest.fixture
def x() -> Array:
    return np.random.default_rng(7).normal(size=301)


def settled(name: str, x: Any, *args: Any, **kwargs: Any) -> Basis:
    return settle(name, np.asarray(x, dtype=float), args, kwargs)


# ---- R and formulaic


@pytest.mark.parametrize("term", TERMS)
def test_columns_are_those_of_r(term: dict[str, Any]) -> None:
    x, used = np.array(term["x"]), np.array([u == "1" for u in term["used"]])
    basis = settle(term["transform"], x, tuple(term["args"]), term["kwargs"])
    columns = basis.apply(x[used])
    assert basis.labels == tuple(term["labels"])
    # R prints 17 digits; what is left is the rounding of both sides, columns being of order one
    np.testing.assert_allclose(columns[:3], term["first_rows"], rtol=0, atol=2e-15)
    np.testing.assert_allclose(columns.sum(axis=0), term["col_sums"], rtol=1e-14, atol=2e-14)
    np.testing.assert_allclose((columns**2).sum(axis=0), term["col_sum_sq"], rtol=2e-15)


@pytest.mark.parametrize("case", REFERENCE, ids=lambda case: case["id"])
def test_replay_on_new_rows_gives_the_predictions_of_r(case: dict[str, Any]) -> None:
    eta = np.array([sum(parts) for parts in case["rest"]])
    for term in case["terms"]:
        basis = settle(term["transform"], np.array(term["x"]), tuple(term["args"]), term["kwargs"])
        eta += basis.apply(np.array(term["newdata"])) @ term["coef"]
    np.testing.assert_allclose(eta, case["link"], rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({"df": 6}, {"df": 6}),
        ({"df": 5, "degree": 1, "intercept": True}, {"df": 5, "degree": 1, "include_intercept": True}),
        (
            {"knots": [-0.4, 0.6], "boundary_knots": (-1, 1)},
            {"knots": [-0.4, 0.6], "lower_bound": -1, "upper_bound": 1},
        ),
    ],
)
def test_bs_agrees_with_formulaic_inside_and_beyond_the_boundary(
    x: Array, ours: dict[str, Any], theirs: dict[str, Any]
) -> None:
    transforms = pytest.importorskip("formulaic.transforms")
    state: dict[str, Any] = {}
    basis = settled("bs", x, **ours)
    for points in (x, np.linspace(-5, 5, 41)):
        columns = transforms.basis_spline(points, **theirs, extrapolation="extend", _state=state)
        np.testing.assert_allclose(
            basis.apply(points), np.column_stack(list(columns.values())), rtol=1e-11, atol=1e-12
        )


def test_cr_agrees_with_formulaic_inside_and_beyond_the_boundary(x: Array) -> None:
    transforms = pytest.importorskip("formulaic.transforms")
    state: dict[str, Any] = {}
    rounded = np.round(x, 1)  # with ties: cr takes quantiles of the distinct values
    basis = settled("cr", rounded, df=5)
    for points in (rounded, np.linspace(-5, 5, 41)):
        columns = transforms.natural_cubic_spline(points, df=5, _state=state)
        np.testing.assert_allclose(
            basis.apply(points), np.column_stack(list(columns.values())), rtol=1e-11, atol=1e-12
        )


def test_poly_and_scale_agree_with_formulaic(x: Array) -> None:
    transforms = pytest.importorskip("formulaic.transforms")
    np.testing.assert_allclose(settled("poly", x, 5).apply(x), transforms.poly(x, 5), rtol=0, atol=1e-13)
    for kwargs in ({}, {"center": False}, {"scale": False}, {"center": 0.5, "scale": 2.0}):
        ours, theirs = settled("scale", x, **kwargs).apply(x)[:, 0], transforms.scale(x, **kwargs)
        np.testing.assert_allclose(ours, theirs, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(settled("center", x).apply(x)[:, 0], transforms.center(x), atol=1e-15)


def test_bs_beyond_the_boundary_is_the_taylor_expansion_of_r(x: Array) -> None:
    """R expands about a point a quarter of the way into the end interval; the polynomial is the same."""
    full = [-1.0] * 4 + [-0.4, 0.6] + [1.0] * 4
    basis = settled("bs", x, knots=[-0.4, 0.6], boundary_knots=(-1, 1), intercept=True)
    for points, pivot in ((np.array([-3.0, -1.2]), -0.85), (np.array([1.3, 4.0]), 0.9)):
        spline = Spline(full, np.eye(6), 3)
        taylor = sum(
            np.outer((points - pivot) ** order, spline(pivot, nu=order)) / factorial
            for order, factorial in enumerate((1, 1, 2, 6))
        )
        np.testing.assert_allclose(basis.apply(points), taylor, rtol=1e-11)


def test_bs_is_that_of_scipy_inside_the_boundary(x: Array) -> None:
    basis = settled("bs", x, df=9, intercept=True)
    theirs = Spline.design_matrix(x, np.array(basis.state()["knots"]), 3).toarray()
    np.testing.assert_allclose(basis.apply(x), theirs, rtol=0, atol=1e-15)


def test_cs_is_ns(x: Array) -> None:
    assert settled("cs", x, df=4) == settled("ns", x, df=4)


# ---- properties


def test_poly_is_orthonormal_without_a_constant(x: Array) -> None:
    columns = settled("poly", x, 8).apply(x)
    np.testing.assert_allclose(columns.T @ columns, np.eye(8), atol=1e-12)
    np.testing.assert_allclose(columns.sum(axis=0), 0, atol=1e-12)


def test_poly_does_not_feel_the_origin_or_the_unit(x: Array) -> None:
    x = np.round(x, 3)
    near, far = settled("poly", x, 5), settled("poly", 1e9 + 64 * x, 5)
    np.testing.assert_allclose(
        far.apply(1e9 + 64 * x), near.apply(x), atol=1e-8
    )  # x itself is rounded at 1e-7
    tiny = settled("poly", x * 2.0**-300, 5)
    np.testing.assert_array_equal(tiny.apply(x * 2.0**-300), near.apply(x))


def test_raw_poly_is_the_powers() -> None:
    assert settled("poly", [1, 2, 3], 3, raw=True).apply(np.array([2.0, -3.0])).tolist() == [
        [2, 4, 8],
        [-3, 9, -27],
    ]


@pytest.mark.parametrize("degree", [1, 2, 3, 5])
def test_b_splines_sum_to_one_everywhere(x: Array, degree: int) -> None:
    basis = settled("bs", x, df=degree + 5, degree=degree, intercept=True)
    columns = basis.apply(x)
    np.testing.assert_allclose(columns.sum(axis=1), 1, rtol=0, atol=1e-15)
    assert (columns >= 0).all()
    np.testing.assert_allclose(basis.apply(np.array([-4.0, 4.0])).sum(axis=1), 1, atol=1e-9)


def test_leaving_the_intercept_out_drops_the_first_b_spline(x: Array) -> None:
    whole, part = settled("bs", x, df=7, intercept=True), settled("bs", x, df=6)
    np.testing.assert_array_equal(part.apply(x), whole.apply(x)[:, 1:])


def test_cardinal_columns_sum_to_one_and_pick_one_knot_each(x: Array) -> None:
    basis = settled("cr", x, df=5)
    knots = np.array(basis.state()["knots"])[3:-3]
    np.testing.assert_allclose(basis.apply(knots), np.eye(5), atol=1e-13)
    np.testing.assert_allclose(basis.apply(x).sum(axis=1), 1, atol=1e-13)


@pytest.mark.parametrize(
    "kwargs", [{"df": 4}, {"df": 5, "intercept": True}, {"df": 1}, {"df": 2, "intercept": True}]
)
def test_natural_splines_are_linear_and_smooth_beyond_the_boundary(x: Array, kwargs: dict[str, Any]) -> None:
    basis = settled("ns", x, **kwargs)
    assert basis.apply(x).shape == (len(x), kwargs["df"])
    assert np.linalg.matrix_rank(basis.apply(x)) == kwargs["df"]
    step = 1e-4
    for end, outward in ((x.min(), -1.0), (x.max(), 1.0)):
        beyond = basis.apply(end + outward * np.arange(1.0, 6.0))
        np.testing.assert_allclose(np.diff(beyond, 2, axis=0), 0, atol=1e-12)
        inner, edge, outer = basis.apply(end + outward * np.array([-step, 0.0, step]))
        # second derivative zero at the end: the slopes differ by O(step^2)
        np.testing.assert_allclose((outer - edge) / step, (edge - inner) / step, atol=1e-6)


def test_natural_splines_with_intercept_span_the_constant_and_the_line(x: Array) -> None:
    columns = settled("ns", x, df=5, intercept=True).apply(x)
    for target in (np.ones_like(x), x):
        fitted = columns @ np.linalg.lstsq(columns, target, rcond=None)[0]
        np.testing.assert_allclose(fitted, target, atol=1e-12)


def test_quantile_knots_within_given_boundaries_ignore_the_x_outside() -> None:
    basis = settled("bs", [0, 1, 2, 3, 4, 100], df=4, boundary_knots=(0, 4))
    assert basis.state()["knots"] == [0, 0, 0, 0, 2, 4, 4, 4, 4]


def test_knots_tied_with_the_boundary_move_inside_as_in_r() -> None:
    x = np.array([0.0] * 60 + list(range(1, 41)))
    with pytest.warns(EtamuWarning, match=r"boundary value 0 so often.*knots="):
        basis = settled("ns", x, df=4)
    assert basis.state()["knots"][4:-4] == [15.25 / 8, 15.25 / 8, 15.25]
    with pytest.warns(EtamuWarning, match=r"boundary value 0 so often"):
        mirrored = settled("ns", -x, df=4)
    assert mirrored.state()["knots"][4:-4] == [-15.25, -15.25 / 8, -15.25 / 8]


# ---- replay


@EACH_CALL
def test_every_row_stands_alone_to_the_last_bit(x: Array, name: str, args: Any, kwargs: Any) -> None:
    basis = settle(name, x, args, kwargs)
    points = np.concatenate([x[:70], [-9.0, 9.0, x.min(), x.max(), np.nan, 0.1, 0.3, -0.0]])
    whole = basis.apply(points)
    alone = np.concatenate([basis.apply(points[i : i + 1]) for i in range(len(points))])
    assert whole.dtype == np.float64
    assert whole.shape == (len(points), max(1, len(basis.labels)))
    assert whole.tobytes() == alone.tobytes()
    assert (
        np.isnan(whole).all(axis=1).tolist()
        == np.isnan(points).tolist()
        == np.isnan(whole).any(axis=1).tolist()
    )
    assert basis.apply(np.empty(0)).shape == (0, whole.shape[1])


@EACH_CALL
def test_the_state_survives_json_and_pickle(x: Array, name: str, args: Any, kwargs: Any) -> None:
    basis = settle(name, x, args, kwargs)
    again = restore(json.loads(json.dumps(basis.state())))
    assert again == basis == pickle.loads(pickle.dumps(basis))
    assert hash(again) == hash(basis)
    assert again.apply(x).tobytes() == basis.apply(x).tobytes()


def test_scale_and_center_have_one_column_without_label(x: Array) -> None:
    column = settled("scale", x).apply(x)
    assert settled("scale", x).labels == settled("center", x).labels == ()
    assert column.shape == (len(x), 1)
    np.testing.assert_allclose([column.mean(), column.std(ddof=1)], [0, 1], atol=1e-14)


def test_numbers_of_r_may_be_written_with_a_point(x: Array) -> None:
    assert settled("ns", x, 3.0) == settled("ns", x, np.int64(3))
    assert settled("bs", x, None, None, 2) == settled("bs", x, degree=2)


# ---- refusals

FORMULA_ERRORS: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("spline", (), {}, r"'spline'.*poly, bs, ns"),
    ("poly", (2,), {"knots": 3}, r"poly: there is no argument 'knots'; the call is poly\(x, degree, raw\)"),
    ("center", (1,), {}, r"center: 1 is one argument too many; the call is center\(x\)"),
    ("poly", (2,), {"degree": 3}, r"poly: degree is given twice, as 2 and 3"),
    ("bs", (), {"include_intercept": True, "intercept": True}, r"bs: intercept is given twice"),
    ("poly", (0,), {}, r"poly: degree=0 must be a whole number of at least 1"),
    ("poly", (True,), {}, r"poly: degree=True"),
    ("poly", ("2",), {}, r"poly: degree='2'"),
    ("poly", (2,), {"raw": 1}, r"poly: raw=1 must be True or False"),
    ("bs", (2,), {}, r"bs: df=2 must be a whole number of at least 3"),
    ("bs", (3,), {"intercept": True}, r"at least 4"),
    ("bs", (), {"degree": 0}, r"bs: degree=0"),
    ("ns", (0,), {}, r"ns: df=0 must be a whole number of at least 1"),
    ("ns", (2.5,), {}, r"ns: df=2.5 must be a whole number"),
    ("cr", (1,), {}, r"cr: df=1 must be a whole number of at least 2"),
    ("cr", (), {"knots": [0.1, 0.1]}, r"cr: knots= has a value twice"),
    ("ns", (3,), {"knots": [1]}, r"ns: df=3 and knots=\[1\] are both given"),
    ("cs", (), {"knots": [40]}, r"cs: knots= has 40, which is not between"),
    ("bs", (), {"knots": [np.nan]}, r"bs: knots=\[nan\] must be finite"),
    ("bs", (), {"knots": "a"}, r"bs: knots='a' must be a number or a list"),
    ("bs", (), {"boundary_knots": 3}, r"bs: boundary_knots=3 must be two different numbers"),
    ("scale", (), {"center": [1, 2]}, r"scale: center=\[1, 2\] must be True, False or one number"),
]


@pytest.mark.parametrize(("name", "args", "kwargs", "message"), FORMULA_ERRORS)
def test_wrong_arguments_are_named(x: Array, name: str, args: Any, kwargs: Any, message: str) -> None:
    with pytest.raises(FormulaError, match=message):
        settle(name, x, args, kwargs)


DATA_ERRORS: list[tuple[str, Any, dict[str, Any], str]] = [
    ("poly", [1, 2, 3, 3], {"degree": 3}, r"poly\(x, degree=3\): x has 3 distinct values; use degree <= 2"),
    ("poly", [2, 2], {}, r"x has 1 distinct value; leave the term out"),
    ("poly", [1.5**k for k in range(40)], {"degree": 39}, r"float64 cannot hold this degree"),
    ("bs", [2, 2], {}, r"bs\(x\): x is constant \(2\)"),
    ("bs", [1, 2], {"df": 5, "boundary_knots": (5, 6)}, r"bs: no value of x lies in boundary_knots=\(5, 6\)"),
    ("ns", [0] * 50 + [1, 2], {"df": 3}, r"ns: every interior knot falls on the boundary knot 0"),
    ("bs", [0] + [1] * 50 + [2], {"df": 7}, r"bs: more than 3 interior knots fall on 1"),
    ("scale", [0.1] * 10, {}, r"scale\(x\): x has the spread 0 over 10 values.*center\(x\)"),
    ("scale", [3], {}, r"over 1 values"),
    ("center", [], {}, r"center\(x\): x has no present value"),
    ("center", [1, np.inf], {}, r"center: x is inf at present value 1"),
    ("poly", [1, np.nan], {}, r"poly: x is nan at present value 1"),
]


@pytest.mark.parametrize(("name", "x", "kwargs", "message"), DATA_ERRORS)
def test_data_that_cannot_carry_the_basis_are_named(
    name: str, x: Any, kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        settled(name, x, **kwargs)


@pytest.mark.parametrize("name", STATEFUL)
def test_infinite_new_values_are_named_by_row(x: Array, name: str) -> None:
    with pytest.raises(DataError, match="x is -inf at row 1"):
        settled(name, x).apply(np.array([0.0, -np.inf]))


def test_a_saved_basis_of_unknown_kind_is_refused() -> None:
    with pytest.raises(DataError, match="'wavelet'; known are poly"):
        restore({"kind": "wavelet"})
