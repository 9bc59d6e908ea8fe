"""A problem: options nobody understands are refused, rows are counted, what is gone is said to be gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from etamu._base.errors import NotAvailableError, OptionError
from etamu.family import families, links
from etamu.family.unit import Unit
from etamu.fit.assemble import from_formula
from etamu.fit.inputs import Keywords
from etamu.fit.problem import ALONE, CLUSTERED, Options, Problem, Tally, Words, check_options, tally

DATA: dict[str, Any] = {
    "y": [1.0, 2.0, 4.0, 3.0, 5.0],
    "x": [0.0, 1.0, 2.0, 3.0, 5.0],
    "k": [2, 0, 1, 3, 1],
    "o": [0.1, 0.2, 0.3, 0.4, 0.5],
}


def problem(formula: str = "y ~ x", **keywords: Any) -> Problem:
    unit = Unit(families.Poisson(), links.Log())
    return from_formula(formula, DATA, unit, Keywords(**keywords), "drop", Options())


@pytest.mark.parametrize("covariance", [None, *ALONE])
@pytest.mark.parametrize("solver", ["newton", "irls", "gradient", "lbfgs"])
def test_every_known_choice_passes_and_its_misspelling_does_not(covariance: str | None, solver: str) -> None:
    check_options(Options(covariance=covariance, solver=solver), "drop")
    with pytest.raises(
        OptionError,
        match=rf"solver='{solver}x' is not known; did you mean '{solver}'\? choose one of 'newton'",
    ):
        check_options(Options(covariance=covariance, solver=solver + "x"), "raise")
    with pytest.raises(OptionError, match=r"covariance='.*!' is not known;.* choose one of None, 'model'"):
        check_options(Options(covariance=f"{covariance}!", solver=solver), "raise")


@pytest.mark.parametrize("kind", [*CLUSTERED, "cluster"])
def test_clustered_covariances_are_sent_to_the_door_after_the_fit(kind: str) -> None:
    with pytest.raises(OptionError, match=rf"{kind}.*needs clusters.*with_covariance\('{kind}', cluster="):
        check_options(Options(covariance=kind), "drop")


def test_missing_is_drop_or_raise() -> None:
    check_options(Options(), "raise")
    with pytest.raises(OptionError, match=r"missing='ignore' is not known; choose one of 'drop', 'raise'"):
        check_options(Options(), "ignore")


@pytest.mark.parametrize("phi", [None, "pearson", "deviance", "ml", 1, 0.5, 5e-324, 1e308])
def test_a_dispersion_is_an_estimator_or_any_positive_finite_number(phi: Any) -> None:
    check_options(Options(dispersion=phi), "drop")


@pytest.mark.parametrize("phi", ["Pearson", "", 0, 0.0, -1.0, float("inf"), float("nan")])
def test_no_other_dispersion_is_understood(phi: Any) -> None:
    with pytest.raises(OptionError, match=r"dispersion=.* is not understood;.* give None, 'pearson'"):
        check_options(Options(dispersion=phi), "drop")


@given(st.lists(st.booleans(), max_size=20), st.integers(0, 5))
def test_a_tally_splits_the_complete_rows(flags: list[bool], lost: int) -> None:
    counted = tally(len(flags) + lost, np.array(flags, dtype=bool))
    assert counted == Tally(len(flags) + lost, flags.count(True), flags.count(False))
    assert counted.used + counted.idle + lost == counted.given


def test_the_number_of_observations_is_rows_or_the_sum_of_frequencies() -> None:
    assert problem().nobs == 5
    assert problem(frequency_weights="k").nobs == 7
    assert problem(variance_weights="k").nobs == 4
    assert problem(sampling_weights=[0.5, 0.0, 0.0, 1.0, 1.0]).nobs == 3


def test_rows_that_count_are_copied_only_where_some_do_not() -> None:
    whole = problem()
    assert whole.counting() is whole.chunk
    some = problem(frequency_weights="k")
    assert_array_equal(some.counting().row_ids, [0, 2, 3, 4])
    assert_array_equal(some.counting().y[0], [1.0, 4.0, 3.0, 5.0])
    assert_array_equal(some.counting().weights.frequency, [2.0, 1.0, 3.0, 1.0])
    assert_array_equal(some.counted, [True, False, True, True, True])


def test_a_problem_without_rows_says_so_and_still_knows_how_many_there_were() -> None:
    read = replace(problem(frequency_weights="k"), sample=None)
    assert (read.input_rows, read.tally.used, read.tally.idle, read.table) == (5, 4, 1, None)
    for question in ("chunk", "counted", "nobs"):
        with pytest.raises(NotAvailableError, match=r"needs the rows.*read from a file carries none"):
            getattr(read, question)
    with pytest.raises(NotAvailableError, match=r"give data= to predict"):
        read.counting()


@pytest.mark.parametrize(
    ("formula", "keywords", "answer"),
    [
        ("y ~ x", {}, False),
        ("y ~ x", {"frequency_weights": [1, 1, 1, 1, 1]}, False),
        ("y ~ x", {"offset": "o"}, True),
        ("y ~ x", {"offset": DATA["o"]}, True),
        ("y ~ x", {"exposure": "o"}, True),
        ("y ~ x", {"exposure": DATA["o"]}, True),
        ("y ~ x + offset(o)", {}, True),
    ],
    ids=["none", "weights", "column", "array", "exposure", "exposures", "formula"],
)
def test_an_offset_is_noticed_however_it_was_given(
    formula: str, keywords: dict[str, Any], answer: bool
) -> None:
    assert problem(formula, **keywords).has_offset is answer


def test_without_a_schema_only_the_words_tell_of_an_offset() -> None:
    bare = replace(problem("y ~ x + offset(o)"), schema=None)
    assert not bare.has_offset
    assert replace(bare, words=Words("y", "", given=("trials", "offset"))).has_offset
