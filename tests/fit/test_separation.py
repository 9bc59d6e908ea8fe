"""Separation is looked for before the climb where rows are few for so many columns, and not elsewhere."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import etamu as em
from etamu.fit import separation
from etamu.solve.outcome import Outcome


def drawn(count, width, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(count, width))
    return x, rng.poisson(0.6, count).astype(float)


def test_few_rows_for_many_columns_are_separated_before_any_pass():
    x, y = drawn(150, 120)
    with pytest.warns(em.SeparationWarning):
        fit = em.GLM(family="bernoulli").fit(x, (y > 0).astype(float))
    assert (fit.outcome, fit.passes, fit.loglik) == (Outcome.INFINITE, 0, 0.0)
    assert fit.existence.count == 150


def test_what_separates_beforehand_is_what_a_linear_program_allows():
    x, y = drawn(150, 120)
    with pytest.warns(em.SeparationWarning):
        fit = em.GLM(family="poisson").fit(x, y)
    direction = np.array([fit.existence.direction.get(name, 0.0) for name in fit.names])
    moved = np.column_stack([np.ones(150), x]) @ direction
    np.testing.assert_allclose(moved[y > 0], 0.0, atol=1e-9 * np.abs(moved).max())
    assert moved[y == 0].max() <= -1.0 + 1e-9
    assert fit.existence.count == np.count_nonzero(y == 0)


@pytest.mark.parametrize(("count", "width", "looked"), [(400, 120, 0), (150, 120, 1)])
def test_only_few_rows_are_looked_at_beforehand(count, width, looked, monkeypatch):
    asked, real = [], separation.recede
    monkeypatch.setattr(separation, "recede", lambda *given: asked.append(1) or real(*given))
    x, y = drawn(count, width)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.SeparationWarning)
        em.GLM(family="poisson").fit(x, y)
    assert len(asked) == looked


def test_few_rows_that_do_not_separate_have_their_maximum():
    x = np.repeat(np.random.default_rng(0).normal(size=(11, 10)), 2, axis=0)
    fit = em.GLM(family="bernoulli").fit(x, np.tile([0.0, 1.0], 11))
    assert fit.outcome is Outcome.CONVERGED
    np.testing.assert_allclose(fit.predict(), 0.5)
