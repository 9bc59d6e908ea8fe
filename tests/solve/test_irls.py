"""Fisher scoring is the textbook's."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from etamu._base.types import Want
from etamu.solve.irls import irls
from etamu.solve.newton import newton
from tests.solve.problems import maxima


def test_each_step_is_a_least_squares_problem() -> None:
    oracle, start = maxima()["gamma log"]
    path = [start]
    irls(oracle, start, callback=lambda _, beta: path.append(beta))
    for before, after in pairwise(path[:4]):
        local = oracle.at(before, Want.SCORE | Want.EXPECTED | Want.VALUE)
        assert local.score is not None
        assert local.expected is not None
        np.testing.assert_allclose(after, before + np.linalg.solve(local.expected, local.score), rtol=1e-12)


@pytest.mark.parametrize("problem", ["logistic", "poisson", "gamma inverse"])
def test_it_is_newton_where_expected_and_observed_information_agree(problem: str) -> None:
    first, second = irls(*maxima()[problem]), newton(*maxima()[problem])
    np.testing.assert_allclose(first.beta, second.beta, rtol=1e-10)
    assert len(first.steps) == len(second.steps)


def test_it_is_slower_where_they_differ_and_ends_with_newton() -> None:
    first, second = irls(*maxima()["gamma log"]), newton(*maxima()["gamma log"])
    assert len(first.steps) > len(second.steps)
    assert first.steps[0].information == "expected"


def test_a_worse_step_is_halved() -> None:
    oracle, _ = maxima()["logistic"]
    solution = irls(oracle, np.array([0.0, 6.0, -6.0]))
    assert any(step.length < 1 for step in solution.steps)
    values = [step.value for step in solution.steps]
    assert values == sorted(values)
