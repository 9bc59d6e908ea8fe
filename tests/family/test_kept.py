"""Of all spellings the one with most digits is kept; where all lose them the formula is refused."""

from __future__ import annotations

import numpy as np
import pytest

from etamu._base.errors import FamilyError
from etamu._base.types import Interval
from etamu.family.ends import spread
from etamu.family.kept import LOST, best_in_mean, best_in_theta, kept
from etamu.family.symbolic import sympy

pytest.importorskip("sympy")

sp = sympy()
THETA, MU = sp.Symbol("theta", real=True), sp.Symbol("mu", positive=True)
GRID = spread(Interval())


def test_a_variance_of_a_proportion_is_written_with_the_complement() -> None:
    formula, loss = best_in_mean(MU - MU**2, MU, Interval(0.0, 1.0))
    assert loss < 1e-15
    np.testing.assert_array_equal(formula(np, np.array([1.0]), np.array([1e-30])), 1e-30)


def test_a_formula_that_loses_a_tail_is_refused() -> None:
    hidden = sp.sqrt(1 + THETA**4) - THETA**2  # cancels in both tails
    assert best_in_theta(hidden, THETA, GRID)[1] > LOST
    with pytest.raises(FamilyError, match="keeps no digits in a tail"):
        kept(hidden, THETA, GRID, "the first derivative of the cumulant", "hidden")


def test_a_function_no_array_has_is_named() -> None:
    with pytest.raises(FamilyError, match="holds a function that arrays do not have"):
        best_in_theta(sp.gamma(THETA), THETA, GRID)
