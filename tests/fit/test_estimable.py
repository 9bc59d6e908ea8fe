"""The null space of aliased columns is one, and tells which rows have an estimate."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu.data.encode import encode
from etamu.data.frame import read
from etamu.fit.estimable import null_space

DATA = {
    "x": 100.0 + np.arange(12.0),
    "g": np.array(list("aabbccaabbcc")),
    "h": np.array(list("uvuvuuuvuvuu")),
    "y": np.array([2.0, 3.0, 5.0, 1.0, 4.0, 4.0, 2.0, 6.0, 3.0, 5.0, 2.0, 7.0]),
}


def fitted(formula: str):
    with pytest.warns(em.AliasWarning):
        return em.glm(formula, DATA, family="poisson")


@pytest.mark.parametrize("formula", ["y ~ g * h", "y ~ x + I(3 * x - 5)", "y ~ 0 + g + x + I(x + 1)"])
def test_rows_of_the_fit_have_estimates_and_others_may_not(formula: str) -> None:
    fit = fitted(formula)
    space = null_space(fit)
    assert space is not None
    encoded = encode(fit.problem.schema, read(DATA))
    rows = encoded.layout.gather(encoded.design.dense().T).T
    assert space.spares(rows).all()
    assert not space.leaves(encoded.design)
    alone = np.eye(len(fit.names))[[fit.names.index(fit.aliased[0])]]
    assert not space.spares(alone).any()


def test_an_empty_cell_has_none() -> None:
    fit = fitted("y ~ g * h")
    space = null_space(fit)
    new = {"g": ["a", "c"], "h": ["v", "v"]}
    encoded = encode(fit.problem.schema, read(new))
    assert space.leaves(encoded.design)
    assert space.spares(encoded.layout.gather(encoded.design.dense().T).T).tolist() == [True, False]


def test_without_aliases_there_is_no_null_space() -> None:
    assert null_space(em.glm("y ~ x + g", DATA, family="poisson")) is None
