"""The facts of a fit: they do not change, travel by pickle, and everything else follows from them."""

from __future__ import annotations

import dataclasses
import pickle

import numpy as np
import pytest

import etamu as em
from etamu.fit.fitted import FittedModel
from tests.fit.test_means import small

FIT = em.glm("y ~ g + x", small(), family="poisson")


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(FittedModel)])
def test_no_fact_can_be_set(field: str) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(FIT, field, None)


def test_a_question_is_asked_of_a_fit_and_not_of_its_facts() -> None:
    for question in ("predict", "summary", "anova", "effects", "plot"):
        assert hasattr(FIT, question)
        assert not hasattr(FittedModel, question)


def test_facts_follow_from_facts() -> None:
    assert FIT.names == ("Intercept", "g[T.b]", "g[T.c]", "x")
    np.testing.assert_allclose(FIT.se**2, np.diag(FIT.cov), rtol=1e-12)
    np.testing.assert_allclose(FIT.statistic, FIT.coef / FIT.se, rtol=1e-12)
    assert FIT.df_resid == FIT.nobs - FIT.rank
    assert FIT.parameters == FIT.rank
    assert FIT.aic == pytest.approx(2 * FIT.rank - 2 * FIT.loglik)
    assert np.isnan(FIT.penalised_loglik)


def test_a_pickle_holds_all_of_them() -> None:
    again = pickle.loads(pickle.dumps(FIT))
    for name in ("names", "coef", "se", "loglik", "deviance", "null_deviance", "notes", "formula"):
        np.testing.assert_array_equal(getattr(again, name), getattr(FIT, name))
    np.testing.assert_array_equal(again.predict(), FIT.predict())


def test_a_shape_is_there_where_one_was_estimated() -> None:
    assert em.glm("y ~ x", small(), family=em.NegativeBinomial()).shape.name == "theta"
    with pytest.raises(em.NotAvailableError, match="estimates no shape"):
        _ = FIT.shape
