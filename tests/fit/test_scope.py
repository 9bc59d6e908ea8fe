"""A scope is read against the model, and marginality says what may come and go."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import etamu as em
from etamu.fit.estimate import estimate
from etamu.fit.scope import addable, deletable, encoded, keys_of, widened, wording_of

RNG = np.random.default_rng(4)
N = 50
DATA = {name: RNG.normal(size=N) for name in ("y", "x", "z", "v", "odd name")}
DATA["g"] = np.array(list("ab") * 25)
SUBSETS = [frozenset(part) for size in (1, 2, 3) for part in combinations("xzv", size)]


def key(*names: str) -> frozenset[str]:
    return frozenset(names)


def wording(formula: str = "y ~ x + z"):
    return wording_of(em.glm(formula, DATA))


def test_the_terms_of_a_formula_are_keys_without_the_intercept() -> None:
    assert wording("y ~ x*z + g").keys() == (key("x"), key("z"), key("g"), key("x", "z"))
    assert wording("y ~ 1").keys() == ()


@pytest.mark.parametrize("scope", ["~ . + v + x:z", ". + v + x:z", ["v", "x:z"], "~ v + z:x"])
def test_a_scope_widens_the_model_behind_its_own_terms(scope) -> None:
    keys = widened(wording(), scope).keys()
    assert keys[:2] == (key("x"), key("z"))
    assert set(keys) == {key("x"), key("z"), key("v"), key("x", "z")}


def test_what_is_there_already_is_not_added_again() -> None:
    assert widened(wording("y ~ x*z"), "~ . + z:x + x").keys() == wording("y ~ x*z").keys()


def test_a_widened_wording_reads_back_as_itself() -> None:
    for formula in ("y ~ x + z", "y ~ 0 + g + x", "y ~ `odd name`*g", "y ~ x + offset(v)", "log(y + 9) ~ x"):
        wide = widened(wording(formula), "~ . + v:z")
        again = wording_of(em.glm(wide.statement.text, DATA))
        assert again.keys() == wide.keys()
        assert again.statement.intercept == wide.statement.intercept
        assert len(again.statement.offsets) == len(wide.statement.offsets)


def test_a_dot_in_quotes_is_no_model() -> None:
    data = DATA | {"a.b": DATA["v"]}
    mine = wording_of(em.glm("y ~ x", data))
    assert keys_of(mine, "~ a.b") == (key("a.b"),)
    assert keys_of(mine, "~ . + z") == (key("x"), key("z"))


def test_keys_of_a_scope_leave_the_model_out_unless_it_is_named() -> None:
    assert keys_of(wording(), "~ v") == (key("v"),)
    assert keys_of(wording(), ["x", "v"]) == (key("x"), key("v"))
    assert keys_of(wording(), "~ 1") == ()


def test_only_keeps_some_terms_margins_first() -> None:
    kept = wording("y ~ x*z + v").only([key("x", "z"), key("v"), key("x")])
    assert kept.keys() == (key("x"), key("v"), key("x", "z"))
    assert kept.only([key("v"), key("x", "z")], first=(key("x", "z"),)).keys() == (key("x", "z"), key("v"))


@given(st.sets(st.sampled_from(SUBSETS)), st.sets(st.sampled_from(SUBSETS)))
def test_adding_what_may_be_added_reaches_every_possible_term(present, possible) -> None:
    there = set(present)
    while more := addable(there, sorted(possible, key=sorted)):
        for new in more:
            assert new in possible - there
            assert not any(other < new and other not in there for other in possible)
        there.add(more[0])
    assert there == present | possible


@given(st.sets(st.sampled_from(SUBSETS)))
def test_what_may_be_dropped_is_in_no_other_term(present) -> None:
    gone = set(deletable(present))
    assert gone == {one for one in present if all(not one < other for other in present)}
    assert bool(gone) == bool(present)


def test_another_formula_over_the_rows_is_fitted_as_if_from_the_start() -> None:
    fit = em.glm("y ~ x", DATA)
    bigger = estimate(encoded(fit, widened(wording_of(fit), "~ . + g*z")))
    direct = em.glm("y ~ x + g*z", DATA)
    assert set(bigger.names) == set(direct.names)
    np.testing.assert_allclose(
        bigger.coef, [direct.coef[direct.names.index(name)] for name in bigger.names], rtol=1e-9
    )


def test_a_new_column_with_gaps_is_refused() -> None:
    gaps = DATA["v"].copy()
    gaps[[7, 9]] = np.nan
    fit = em.glm("y ~ x", DATA | {"v": gaps})
    with pytest.raises(em.DataError, match=r"'v' has 2 missing values.*first in row 7"):
        encoded(fit, widened(wording_of(fit), "~ . + v"))


def test_a_column_that_is_not_there_is_refused() -> None:
    with pytest.raises(em.FormulaError, match="nowhere"):
        widened(wording(), "~ . + nowhere")


def test_a_model_of_arrays_has_no_wording() -> None:
    fit = em.GLM("gaussian").fit(np.column_stack([DATA["x"]]), DATA["y"])
    with pytest.raises(em.NotAvailableError, match="fitted to arrays"):
        wording_of(fit)
