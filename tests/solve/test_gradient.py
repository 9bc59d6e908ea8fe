"""Steepest ascent: slow, in nobody's units, and honest."""

from __future__ import annotations

import numpy as np

from etamu.solve.gradient import gradient
from etamu.solve.newton import newton
from etamu.solve.oracle import Outcome
from tests.solve.problems import maxima


def test_the_units_of_the_columns_do_not_matter() -> None:
    plain, scaled = gradient(*maxima()["logistic"]), gradient(*maxima()["badly scaled"])
    np.testing.assert_allclose(scaled.beta, plain.beta / np.array([1.0, 1e-5, 1e5]), rtol=1e-8)
    assert len(scaled.steps) == len(plain.steps)


def test_it_needs_more_passes_than_newton() -> None:
    assert gradient(*maxima()["wide"]).passes > 2 * newton(*maxima()["wide"]).passes


def test_its_steps_know_no_information_until_the_last() -> None:
    solution = gradient(*maxima()["logistic"])
    kinds = [step.information for step in solution.steps]
    assert kinds[0] == "none"
    assert np.isnan(solution.steps[0].step)
    assert kinds[-1] == "observed"


def test_a_long_valley_is_a_limit_and_not_a_lie() -> None:
    solution = gradient(*maxima()["nearly collinear"], limit=200)
    assert solution.outcome is Outcome.LIMIT
    assert len(solution.steps) == 200
    # Verifying passes become rare: no more than one for each doubling of the steps since.
    assert solution.passes <= 200 * 1.5
