"""The likelihood in orthogonal coordinates is the likelihood."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from etamu import sums
from etamu.family import catalogue
from etamu.fit.assemble import from_formula
from etamu.fit.inputs import Keywords
from etamu.fit.problem import Options
from etamu.fit.stage import likelihood_of, prepare
from etamu.objective import extended
from etamu.objective.whitened import Whitened
from etamu.solve.direction import FINAL

RNG = np.random.default_rng(11)
DATA = {
    "y": RNG.poisson(2.0, 50).astype(float),
    "x": RNG.normal(size=50),
    "g": np.array(list("abc"))[RNG.integers(0, 3, 50)],
    "w": RNG.uniform(0.5, 2.0, 50),
    "o": RNG.normal(size=50),
}


@pytest.fixture(params=[7, 1000], ids=["blocks of 7", "one block"])
def both(request: pytest.FixtureRequest) -> tuple[object, object, object]:
    keywords = Keywords(offset="o", variance_weights="w")
    unit = catalogue.unit("poisson", "sqrt")
    options = Options(block_rows=request.param)
    problem = from_formula("y ~ x + C(g)", DATA, unit, keywords, "drop", options)
    stage = prepare(problem)
    plain = likelihood_of(problem, stage)
    rows = partial(sums.triangle, coordinates=plain.coordinates, unit=None, beta=None)
    return problem, plain, Whitened(plain, plain.executor.reduce(rows).factor)


BETA = np.array([4.0, 0.1, -0.2, 0.3])


def test_value_score_and_information(both: tuple) -> None:
    _, plain, white = both
    ours, theirs = white.at(white.gamma(BETA), FINAL), plain.at(BETA, FINAL)
    assert ours.value == pytest.approx(theirs.value, rel=1e-12)
    np.testing.assert_allclose(white.triangle.T @ ours.score, theirs.score, rtol=1e-9, atol=1e-9)
    for mine, other in ((ours.expected, theirs.expected), (ours.observed, theirs.observed)):
        np.testing.assert_allclose(white.triangle.T @ mine @ white.triangle, other, rtol=1e-9, atol=1e-9)
    assert ours.beside == pytest.approx(theirs.beside, rel=1e-12)


def test_coordinates_go_and_come(both: tuple) -> None:
    _, _, white = both
    np.testing.assert_allclose(white.beta(white.gamma(BETA)), BETA, rtol=1e-12)


def test_reach_along_and_lengths(both: tuple) -> None:
    _, plain, white = both
    gamma, step = white.gamma(BETA), white.gamma(-BETA)
    assert white.reach(gamma, step) == pytest.approx(plain.reach(BETA, -BETA))
    ts = np.array([0.0, 0.1])
    np.testing.assert_allclose(white.along(gamma, step, ts), plain.along(BETA, -BETA, ts), rtol=1e-12)
    whole = np.vstack([white._rows(part) for part in plain.executor.parts])
    np.testing.assert_allclose(whole.T @ whole, np.eye(4), atol=1e-12)
    assert white.girth() == pytest.approx(np.square(whole).sum(axis=1).max())
    np.testing.assert_allclose(white.extent, np.abs(whole).max(axis=0))
    assert white.longest(np.eye(4)) == pytest.approx(white.girth())


def test_a_score_of_twice_the_precision_is_the_score(both: tuple) -> None:
    problem, plain, _ = both
    executor = plain.executor.over(problem.counting())
    find = partial(extended.score, beta=BETA, unit=plain.unit, coordinates=plain.coordinates)
    found = executor.reduce(find)
    np.testing.assert_allclose(plain.coordinates.gathered(found.hi), plain.at(BETA, FINAL).score, rtol=1e-12)
    assert np.all(np.abs(found.lo) <= 1e-15 * np.abs(found.hi) + 1e-300)
