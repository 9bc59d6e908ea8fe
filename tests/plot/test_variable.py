"""What rows are drawn against: columns by name or by value, terms by the column they are a function of."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu.plot.variable import MISSING, against, column_of, columns_in, term_column, terms
from tests.plot.cases import COUNTS, counts

DATA = counts()
SOME = np.array([5, 3, 8])


def test_a_column_is_numbers_or_codes_of_levels():
    np.testing.assert_array_equal(column_of(COUNTS, "other", SOME).values, DATA["other"][SOME])
    levelled = column_of(COUNTS, "g", SOME)
    assert [levelled.levels[int(code)] for code in levelled.values] == DATA["g"][SOME].tolist()
    numbers = column_of(COUNTS, "w", np.arange(600), levelled=True)
    assert numbers.levels == ("1", "2", "3")


def test_a_missing_value_is_a_level_or_not_a_number():
    x, g = DATA["x"].copy(), DATA["g"].astype(object)
    x[3], g[3] = np.nan, None
    fit = em.glm("y ~ w", DATA | {"x": x, "g": g}, family="poisson")
    assert np.isnan(column_of(fit, "x", SOME).values).tolist() == [False, True, False]
    for found in (column_of(fit, "g", SOME), column_of(fit, "x", SOME, levelled=True)):
        assert found.levels[int(found.values[1])] == MISSING


def test_values_given_are_one_per_row_of_the_input():
    assert column_of(COUNTS, DATA["x"] > 0, SOME).levels
    np.testing.assert_array_equal(column_of(COUNTS, DATA["w"], SOME).values, DATA["w"][SOME])
    with pytest.raises(em.DataError, match="each of the 600 rows"):
        column_of(COUNTS, np.ones(3), SOME)


def test_a_term_stands_for_the_one_column_it_reads():
    fit = em.glm("y ~ bs(x, df=4) + C(w) + log(years) + other:g", DATA, family="poisson")
    assert terms(fit) == ("bs(x, df=4)", "C(w)", "log(years)", "other:g")
    assert columns_in(fit, "C(w)") == {"w": True}
    np.testing.assert_array_equal(term_column(fit, "bs(x, df=4)", SOME).values, DATA["x"][SOME])
    assert term_column(fit, "C(w)", SOME).levels
    assert term_column(fit, "other:g", SOME) is None
    several = against(fit, "other:g", SOME)
    np.testing.assert_allclose(several.values, fit.predict(kind="terms")["other:g"][SOME])
    assert several.name == "other:g, what it adds to η"


def test_a_column_of_a_matrix_is_itself():
    X = np.column_stack([DATA["x"], DATA["other"]])
    fit = em.GLM(family="poisson").fit(X, DATA["y"])
    np.testing.assert_allclose(against(fit, "x1", SOME).values, DATA["other"][SOME])
    with pytest.raises(em.OptionError, match="fitted to arrays"):
        column_of(fit, "x", SOME)


def test_what_is_neither_term_nor_column_is_refused_by_name():
    with pytest.raises(em.OptionError, match="'depth' to draw against; choose one of 'fitted', 'x', 'g'"):
        against(COUNTS, "depth", SOME)
