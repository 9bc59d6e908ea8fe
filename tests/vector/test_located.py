"""Where a fit of several predictors stands: at its maximum, or where all that runs has arrived."""

from __future__ import annotations

import warnings

import numpy as np

import etamu as em
from etamu._base.types import Want
from etamu.vector.located import ended, located
from etamu.vector.rows import placed_chunk
from etamu.vector.stage import likelihood_of, prepare
from tests.vector.test_relations import multinomial


def separated():
    data = {"x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1.5, 0.5], "y": ["a", "b", "a", "c", "c", "c", "b", "b"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.SeparationWarning)
        return em.glm("y ~ x", data, em.Multinomial())


def at(fit):
    return located(fit, likelihood_of(fit.problem, prepare(fit.problem)))


def test_a_maximum_is_where_the_fit_is() -> None:
    fit = multinomial()
    place = at(fit)
    np.testing.assert_array_equal(place.beta, fit.beta)
    assert place.kept.all()
    rows = ended(fit, placed_chunk(fit, fit.problem.counting()))
    assert rows.run is None
    probabilities = np.exp(np.column_stack([np.zeros(len(rows.eta)), rows.eta]))
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, fit.predict(), rtol=1e-10)


def test_a_limit_is_a_maximum_of_what_does_not_run() -> None:
    fit = separated()
    place = at(fit)
    assert place.kept.sum() == fit.rank - fit.limit.gone.sum()
    local = place.oracle.at(place.beta, Want.VALUE | Want.SCORE)
    np.testing.assert_allclose(local.value, fit.solution.local.value, rtol=1e-10)
    np.testing.assert_allclose(local.score, 0.0, atol=1e-7)


def test_rows_that_run_are_at_their_ends() -> None:
    fit = separated()
    rows = ended(fit, placed_chunk(fit, fit.problem.counting()))
    apart = np.flatnonzero(np.abs(rows.run).max(axis=1) > 0.0)
    assert set(fit.existence.rows.tolist()) <= set(apart.tolist())
    p = fit.predict()
    assert np.all((p[apart] == 0.0).any(axis=1))
