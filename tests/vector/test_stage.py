"""A problem of several predictors set up: designs once, full rank, the likelihood of all rows."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu.vector.stage import likelihood_of, prepare, stacked
from tests.vector.test_relations import multinomial, ordinal, sample


@pytest.mark.parametrize("fit", [multinomial(), ordinal()], ids=["multinomial", "ordinal"])
def test_its_likelihood_is_that_of_the_fit(fit) -> None:
    stage = prepare(fit.problem)
    oracle = likelihood_of(fit.problem, stage)
    value = oracle.along(fit.beta, 0.0 * fit.beta, np.ones(1))[0]
    np.testing.assert_allclose(value, fit.solution.local.value, rtol=1e-12)
    np.testing.assert_allclose(stage.stack.reported(fit.beta), fit.coef, rtol=1e-12)


def test_predictors_of_one_design_share_it() -> None:
    parts = prepare(multinomial().problem).chunk.predictors
    assert all(each.design is parts[0].design for each in parts)


def test_names_are_those_of_the_columns_put_end_to_end() -> None:
    fit = ordinal()
    stack = stacked(fit.problem, fit.coordinates.parts)
    assert stack.names == fit.names
    assert stack.size == len(fit.beta)


def test_aliased_columns_are_said_once_for_all_predictors() -> None:
    data = sample().assign(twice=lambda table: 2.0 * table["x"])
    with pytest.warns(em.AliasWarning, match="2 column.s. are linear combinations") as said:
        em.glm("y ~ x + twice", data, em.Multinomial())
    assert len(said) == 1
