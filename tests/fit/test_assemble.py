"""From table, formula and keywords to a problem: which rows stay, what is said of others, what is refused."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from etamu._base.errors import DataError, DroppedLevelsWarning, DroppedRowsWarning, FormulaError
from etamu.data.formula import parse
from etamu.data.frame import read
from etamu.family import families, links
from etamu.family.borrowed import Binomial
from etamu.family.unit import Unit
from etamu.fit.assemble import ByFormula, counted, from_formula, settled
from etamu.fit.inputs import Keywords
from etamu.fit.problem import Options, Problem, Tally

POISSON = Unit(families.Poisson(), links.Log())
BINOMIAL = Unit(Binomial(), links.Logit())
NAN = float("nan")


def table(**changes: Any) -> dict[str, Any]:
    return {
        "y": [1.0, 2.0, 4.0, 3.0, 5.0, 0.0],
        "x": [0.0, 1.0, 2.0, 3.0, 5.0, 8.0],
        "g": ["a", "b", "a", "c", "b", "c"],
    } | changes


def stated(formula: str, data: Any, unit: Unit = POISSON, missing: str = "drop", **keywords: Any) -> Problem:
    return from_formula(formula, data, unit, Keywords(**keywords), missing, Options())


def written_out(problem: Problem) -> np.ndarray:
    """Multiply the reported columns out, one unit vector at a time."""
    design, layout = problem.chunk.predictors[0].design, problem.layout
    return np.column_stack([design.matvec(layout.expand(unit)) for unit in np.eye(layout.width)])


def test_the_design_is_the_one_written_by_hand() -> None:
    problem = stated("y ~ x + C(g)", table())
    assert problem.layout.names[:2] == ("Intercept", "x")
    expected = [[1, 0, 0, 0], [1, 1, 1, 0], [1, 2, 0, 0], [1, 3, 0, 1], [1, 5, 1, 0], [1, 8, 0, 1]]
    assert_array_equal(written_out(problem), expected)
    assert_array_equal(problem.chunk.y[0], table()["y"])
    assert (problem.dropped, problem.notes, problem.tally) == ({}, (), Tally(6, 6, 0))


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), min_size=2, max_size=9))
def test_a_row_is_complete_if_nothing_in_it_is_missing(holes: list[tuple[bool, bool, bool]]) -> None:
    holes = [(False, False, False), *holes]
    mask, n = np.array(holes), len(holes)
    values = np.where(mask, NAN, 1.0 + np.arange(3 * n).reshape(n, 3))
    data = {"y": values[:, 0], "x": values[:, 1], "unused": np.full(n, NAN)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DroppedRowsWarning)
        problem = stated("y ~ x", data, exposure=values[:, 2])
    complete = ~mask.any(axis=1)
    assert_array_equal(problem.chunk.row_ids, np.flatnonzero(complete))
    assert_array_equal(problem.chunk.y[0], values[complete, 0])
    assert_array_equal(problem.chunk.predictors[0].offset, np.log(values[complete, 2]))
    counts = dict(zip(("y", "x", "exposure"), mask.sum(axis=0).tolist(), strict=True))
    assert problem.dropped == {name: count for name, count in counts.items() if count}
    assert problem.tally == Tally(n, int(complete.sum()), 0)


def test_dropped_rows_are_warned_of_and_noted_in_the_same_words() -> None:
    data = table(x=[NAN, 1.0, NAN, 3.0, 5.0, 8.0], y=[NAN, 2.0, 4.0, 3.0, 5.0, 0.0])
    with pytest.warns(DroppedRowsWarning, match=r"^2 of 6 rows dropped for missing values: ") as caught:
        problem = stated("y ~ x", data)
    assert problem.notes == (str(caught[0].message),)
    assert "y (1)" in problem.notes[0]
    assert "x (2)" in problem.notes[0]


def test_missing_rows_are_refused_if_asked_or_if_nothing_is_left() -> None:
    data = table(x=[0.0, NAN, NAN, 3.0, 5.0, 8.0])
    with pytest.raises(DataError, match=r"2 of 6 rows have missing values, the first is row 1: x \(2\)"):
        stated("y ~ x", data, missing="raise")
    with pytest.raises(DataError, match=r"every row has a missing value: y \(6\); leave such a column out"):
        stated("y ~ x", table(y=[NAN] * 6))
    assert stated("y ~ x", table(), missing="raise").tally.used == 6


def test_no_rows_no_formula_and_no_response_are_refused() -> None:
    with pytest.raises(DataError, match="the data have no rows"):
        stated("y ~ x", {"y": [], "x": []})
    with pytest.raises(FormulaError, match="the formula is a list; write one such as 'y ~ x'"):
        from_formula(["y", "x"], table(), POISSON, Keywords(), "drop", Options())  # type: ignore[arg-type]
    with pytest.raises(FormulaError, match="nope"):
        stated("y ~ nope", table())
    with pytest.raises(FormulaError, match="weight_of"):
        stated("y ~ x", table(), variance_weights="weight_of")
    with pytest.raises(DataError, match="offset has 2 values and the data have 6 rows"):
        stated("y ~ x", table(), offset=[1.0, 2.0])


def test_two_coefficients_of_one_name_are_refused() -> None:
    data = table()
    data["C(g)[b]"] = data["x"]
    names = stated("y ~ C(g)", data).layout.names
    data[names[1]] = data["x"]
    with pytest.raises(FormulaError, match=r"two coefficients would be called .*; rename the column"):
        stated(f"y ~ C(g) + `{names[1]}`", data)


def test_levels_no_row_has_are_dropped_with_a_warning_and_a_note() -> None:
    g = pd.Categorical(["a", "b", "a", "d", "b", "d"], categories=["a", "b", "c", "d", "e"])
    with pytest.warns(DroppedLevelsWarning, match=r"declared levels that no row used has .*g.*: c, e"):
        problem = stated("y ~ g", pd.DataFrame(table(g=g)))
    assert len(problem.layout.names) == 3
    assert problem.notes[-1].endswith("c, e")


def test_offsets_of_formula_keyword_and_exposure_add_up() -> None:
    o, k, e = np.arange(6.0), np.linspace(-1.0, 1.0, 6), np.array([1.0, 2.0, 4.0, 0.5, 10.0, 3.0])
    problem = stated("y ~ x + offset(o)", table(o=o, e=e), offset=k, exposure="e")
    assert_allclose(problem.chunk.predictors[0].offset, o + k + np.log(e), rtol=1e-15, atol=1e-15)
    assert stated("y ~ x", table()).chunk.predictors[0].offset is None
    alone = stated("y ~ x + offset(o)", table(o=o))
    assert_array_equal(alone.chunk.predictors[0].offset, o)


def test_the_words_hold_names_of_columns_and_which_keywords_were_arrays() -> None:
    data = table(e=[1.0] * 6, k=[1, 2, 0, 1, 1, 1])
    words = stated("y ~ x", data, offset=[0.0] * 6, exposure="e", frequency_weights="k").words
    assert (words.response, words.formula, words.offset, words.exposure) == ("y", "y ~ x", None, "e")
    assert words.given == ("offset",)
    assert words.weights == (("frequency_weights", "k"),)


@pytest.mark.parametrize("trials", ["m", [2, 3, 4, 3, 5, 0]], ids=["column", "array"])
def test_a_row_without_trials_or_weight_is_kept_and_does_not_count(trials: Any) -> None:
    data = table(m=[2, 3, 4, 3, 5, 0])
    problem = stated("y ~ x", data, BINOMIAL, trials=trials, variance_weights=[1, 0, 1, 1, 2, 1])
    assert_array_equal(problem.counted, [True, False, True, True, True, False])
    assert problem.tally == Tally(6, 4, 2)
    assert_array_equal(problem.chunk.y[1], data["m"])


def test_counted_is_positive_weight_and_positive_trials() -> None:
    y, m, w = np.zeros(4), np.array([1.0, 0.0, 2.0, 0.0]), np.array([1.0, 1.0, 0.0, 0.0])
    assert_array_equal(counted((y,), None, 4), [True] * 4)
    assert_array_equal(counted((y,), w, 4), [True, True, False, False])
    assert_array_equal(counted((y, m), None, 4), [True, False, True, False])
    assert_array_equal(counted((y, m), w, 4), [True, False, False, False])


def test_messages_name_rows_of_the_input_not_of_those_that_are_left() -> None:
    data = table(x=[NAN, 1.0, 2.0, 3.0, 5.0, 8.0], y=[1.0, 2.0, 4.0, -3.0, 5.0, 0.0])
    with pytest.warns(DroppedRowsWarning), pytest.raises(DataError, match="is -3 in row 3"):
        stated("y ~ x", data)


def test_a_settled_schema_encodes_the_kept_rows_alone() -> None:
    """Levels are those of the rows in use; the statement's columns answer for themselves."""
    frame, keep = read(table()), np.array([True, True, True, False, True, False])
    statement = parse("y ~ C(g)", frame.names)
    encoded, schema = settled(statement, frame, keep, None)
    assert encoded.design.length == 4
    assert encoded.layout.width == 2
    by = ByFormula(statement, frame)
    assert by.formula == "y ~ C(g)"
    assert not any(mask.any() for mask in by.missing().values())
    assert_array_equal(by.response(keep)[0].values, [1.0, 2.0, 4.0, 5.0])
    assert by.encode(keep, None)[0].layout.names == encoded.layout.names
    assert not schema.dropped_levels
