"""A sum of exponents stands for the deviance where that costs no digits, and only there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

import etamu as em
from etamu.fit import estimate as estimating
from etamu.fit import level as levelling
from etamu.fit import pilot as piloting
from etamu.fit import stage as stages
from etamu.fit.level import level_of
from tests.catalogue import CUBIC, SECANT

pytest.importorskip("sympy")

N = 6000


def table(noise: float = 0.8) -> dict[str, Any]:
    rng = np.random.default_rng(3)
    columns: dict[str, Any] = {name: rng.normal(size=N) for name in "xz"}
    eta = 0.3 + 0.4 * columns["x"] - 0.2 * columns["z"]
    columns["level"] = eta + noise * rng.standard_t(5, N)
    columns["size"] = np.exp(eta) * rng.gamma(2.0, 0.5, N)
    columns["w"] = rng.uniform(0.5, 2.0, N)
    return columns


def piloted(formula: str, data: dict[str, Any], *arguments: Any, **options: Any) -> tuple[em.Fit, list[Any]]:
    """Fit with a pilot, and tell which levels were found."""
    found: list[Any] = []

    def seen(*given: Any) -> Any:
        found.append(level_of(*given))
        return found[-1]

    small = patch.multiple(piloting, SLIGHT=1.0, MODEST=1.0, level_of=seen)
    with patch.object(stages, "DEAR", 1000), small:
        return em.glm(formula, data, *arguments, **options), found


CASES: dict[str, tuple[Any, ...]] = {
    "secant": ("level ~ x + z", SECANT, {"link": "identity"}),
    "cubic": ("size ~ x + z", CUBIC, {"link": "log"}),
    "weighted": ("size ~ x + z", CUBIC, {"link": "log", "variance_weights": "w"}),
    "without a constant": ("size ~ 0 + x + z", CUBIC, {"link": "log"}),
}


@pytest.mark.parametrize("name", CASES)
def test_every_number_of_a_fit_is_that_of_deviances(name):
    formula, family, options = CASES[name]
    mine, levels = piloted(formula, table(), family, **options)
    assert [level is not None for level in levels] == [True]
    with patch.object(levelling, "SAME", 0.0):
        theirs, none = piloted(formula, table(), family, **options)
    assert none == [None]
    assert mine.passes == theirs.passes
    assert_allclose(mine.coef, theirs.coef, rtol=1e-12, atol=1e-12)
    for number in ("deviance", "null_deviance", "loglik", "dispersion", "pearson_chi2"):
        assert_allclose(getattr(mine, number), getattr(theirs, number), rtol=1e-12, err_msg=number)
    assert_allclose(mine.se, theirs.se, rtol=1e-12)
    values = [[step.value for step in fit.trace] for fit in (mine, theirs)]
    assert_allclose(*values, rtol=1e-12)  # the trace tells deviances too


def test_where_responses_leave_little_deviance_it_is_summed_row_by_row():
    fit, levels = piloted("level ~ x + z", table(1e-6), SECANT, link="identity")
    assert levels == [None]
    data = table(1e-6)
    rows = SECANT.deviance(np, data["level"], fit.predict(data), 1.0 - fit.predict(data))
    assert_allclose(fit.deviance, rows.sum(), rtol=1e-7)  # eleven digits of a mean are left in y - mu


def test_families_of_the_catalogue_sum_their_deviances():
    _, levels = piloted("size ~ x + z", table(), "gamma", link="log")
    assert levels == [None]


def test_the_same_bits_by_any_number_of_threads():
    formula, family, options = CASES["weighted"]
    found: list[Any] = []
    first, _ = piloted(formula, table(), family, **options)
    levels: list[Any] = []
    with patch.object(piloting, "level_of", lambda *given: levels.append(level_of(*given)) or levels[-1]):
        for threads in (1, 2, 3):
            asked = replace(first.problem.options, threads=threads, block_rows=500)
            shares = patch.multiple(piloting, SLIGHT=1.0, MODEST=1.0)
            with patch.object(stages, "DEAR", 1000), shares:
                again = estimating.estimate(replace(first.problem, options=asked))
            numbers = (again.deviance, again.null_deviance, again.loglik)
            found.append((again.coef, numbers))
    assert len({level.total for level in levels}) == 1
    for coef, numbers in found[1:]:
        assert_array_equal(coef, found[0][0])
        assert numbers == found[0][1]


def test_a_climb_at_whose_end_digits_are_lost_goes_on_by_deviances():
    formula, family, options = CASES["cubic"]
    usual, _ = piloted(formula, table(), family, **options)
    with patch.object(levelling.Level, "holds", lambda *_: False):
        longer, _ = piloted(formula, table(), family, **options)
    assert longer.converged
    assert longer.passes > usual.passes
    assert len(longer.trace) > len(usual.trace)
    assert_allclose(longer.coef, usual.coef, rtol=1e-9)
    assert_allclose(longer.deviance, usual.deviance, rtol=1e-12)
