"""The saved state of a transform: what `state()` wrote comes back, and nothing else does."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from etamu._base.errors import DataError
from etamu.data.basis import settle
from etamu.data.states import HIGHEST, restored

X = np.array([0.0, 1.0, 1.5, 2.0, 4.0, 7.0, 11.0])
BASES = {
    "poly": settle("poly", X, (3,), {}),
    "raw poly": settle("poly", X, (2,), {"raw": True}),
    "bs": settle("bs", X, (), {"df": 5}),
    "bs full": settle("bs", X, (), {"df": 5, "intercept": True}),
    "ns": settle("ns", X, (), {"df": 3}),
    "cr": settle("cr", X, (), {"df": 4}),
    "scale": settle("scale", X, (), {}),
    "center": settle("center", X, (), {}),
}


def damaged(kind: str, **changes: Any) -> dict[str, Any]:
    return json.loads(json.dumps(BASES[kind].state())) | changes


@pytest.mark.parametrize("kind", list(BASES))
def test_a_state_through_json_gives_the_same_basis_to_the_last_bit(kind) -> None:
    basis = BASES[kind]
    again = restored(json.loads(json.dumps(basis.state())))
    assert again == basis
    x = np.array([-3.0, 0.3, 5.0, 20.0, np.nan])
    np.testing.assert_array_equal(again.apply(x), basis.apply(x))


@pytest.mark.parametrize("state", [None, [], "poly", 3], ids=["none", "list", "text", "number"])
def test_a_state_that_is_no_object_is_refused(state) -> None:
    with pytest.raises(DataError, match="a saved basis is not an object"):
        restored(state)


@pytest.mark.parametrize("state", [{}, {"kind": "spline"}, {"kind": None}], ids=["empty", "other", "none"])
def test_an_unknown_kind_is_refused_and_the_known_are_listed(state) -> None:
    with pytest.raises(DataError, match=r"has the kind .*; known are poly, raw poly, bs, ns, scale"):
        restored(state)


@pytest.mark.parametrize(
    ("kind", "field"),
    [("poly", "centre"), ("poly", "spread"), ("scale", "shift"), ("scale", "width")],
    ids=lambda word: word,
)
@pytest.mark.parametrize(
    "value",
    [float("nan"), float("inf"), "1", None, True, [1.0]],
    ids=["nan", "inf", "text", "none", "bool", "list"],
)
def test_a_field_that_is_no_finite_number_is_refused_by_name(kind, field, value) -> None:
    with pytest.raises(DataError, match=f"a saved basis has the {field} .*; it is a finite number"):
        restored(damaged(kind, **{field: value}))


@pytest.mark.parametrize(("kind", "field"), [("poly", "spread"), ("scale", "width")], ids=lambda word: word)
def test_a_divisor_of_zero_is_refused(kind, field) -> None:
    for zero in (0, 0.0, -0.0):
        with pytest.raises(DataError, match=f"a saved basis has the {field} 0$"):
            restored(damaged(kind, **{field: zero}))
    assert restored(damaged(kind, **{field: -2.0})).apply(X).shape[0] == len(X)


@pytest.mark.parametrize("degree", [0, -1, 1.0, True, "2", None, HIGHEST + 1], ids=repr)
def test_a_degree_is_a_whole_number_from_1_to_the_highest(degree) -> None:
    for kind in ("raw poly", "bs"):
        with pytest.raises(DataError, match=r"has the degree .*; it is a whole number from 1 to 100"):
            restored(damaged(kind, degree=degree))
    assert len(restored({"kind": "raw poly", "degree": HIGHEST}).labels) == HIGHEST


@pytest.mark.parametrize(
    "changes",
    [
        {"alpha": [0.1]},
        {"norm2": [1.0, 1.0]},
        {"alpha": [], "norm2": [7.0]},
        {"norm2": [7.0, 1.0, 0.0, 1.0]},
        {"norm2": [7.0, 1.0, -1.0, 1.0]},
    ],
    ids=["alpha", "norms", "degree zero", "zero", "negative"],
)
def test_norms_fit_the_degree_and_are_positive(changes) -> None:
    with pytest.raises(DataError, match="norms that do not fit its degree"):
        restored(damaged("poly", **changes))


@pytest.mark.parametrize("kind", ["bs", "ns"])
@pytest.mark.parametrize(
    "change",
    [
        lambda knots: knots[::-1],
        lambda knots: knots[:7],
        lambda knots: [knots[0]] * len(knots),
        lambda knots: [*knots[:4], knots[-1] + 1, *knots[5:]],
    ],
    ids=["falling", "few", "constant", "one too high"],
)
def test_knots_rise_from_one_boundary_to_the_other(kind, change) -> None:
    with pytest.raises(DataError, match="knots that do not rise"):
        restored(damaged(kind, knots=change(list(BASES[kind].state()["knots"]))))


def test_the_width_of_a_b_spline_is_at_most_the_number_of_splines() -> None:
    splines = len(BASES["bs"].state()["knots"]) - 4
    for width in (0, splines + 1, 2.0, True, None):
        with pytest.raises(DataError, match=f"has the width .*; it is a whole number from 1 to {splines}"):
            restored(damaged("bs", width=width))
    assert restored(damaged("bs", width=splines)).apply(X).sum(axis=1) == pytest.approx(np.ones(len(X)))


def test_weights_have_one_row_for_each_spline_all_of_one_length() -> None:
    rows = damaged("ns")["weights"]
    for wrong in (rows[1:], None, "abc"):
        with pytest.raises(DataError, match="weights that do not fit its knots"):
            restored(damaged("ns", weights=wrong))
    for wrong in ([rows[0][1:], *rows[1:]], [[] for _ in rows]):
        with pytest.raises(DataError, match="weights of several lengths"):
            restored(damaged("ns", weights=wrong))
    with pytest.raises(DataError, match="no list of weights"):
        restored(damaged("ns", weights=[3.0, *rows[1:]]))


@pytest.mark.parametrize(("kind", "field"), [("poly", "alpha"), ("poly", "norm2"), ("bs", "knots")], ids=str)
def test_lists_are_lists_of_finite_numbers(kind, field) -> None:
    with pytest.raises(DataError, match=f"a saved basis has no list of {field}"):
        restored(damaged(kind, **{field: 3.0}))
    row = damaged(kind)[field]
    with pytest.raises(DataError, match=f"a saved basis has the {field} 'a'; it is a finite number"):
        restored(damaged(kind, **{field: [*row[:-1], "a"]}))
