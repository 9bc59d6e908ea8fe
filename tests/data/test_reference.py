"""Which level comes first: the first, a named one, or the most exposed."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

import etamu as em

DATA = {
    "y": [1.0, 2.0, 0.0, 4.0, 3.0, 1.0, 2.0],
    "g": ["a", "b", "c", "b", "c", "c", "a"],
    "k": [1, 2, 3, 2, 3, 3, 1],
    "years": [9.0, 1.0, 1.0, 2.0, 1.0, 1.0, 5.0],
}


def base(formula: str, **options) -> str:
    """Name the level without a coefficient."""
    fit = em.glm(f"y ~ {formula}", DATA, "poisson", **options)
    named = {name.partition("[T.")[2].rstrip("]") for name in fit.names[1:]}
    levels = {"1", "2", "3"} if "k" in formula else {"a", "b", "c"}
    (left,) = levels - named
    return left


@pytest.mark.parametrize("spelling", ["g", "C(g)", "C(g, contr.treatment)"])
def test_the_first_level_is_the_reference_unless_said(spelling):
    assert base(spelling) == "a"


@pytest.mark.parametrize(
    "spelling",
    ["C(g, reference='b')", "C(g, contr.treatment('b'))", "relevel(g, ref='b')", "C(g, Treatment('b'))"],
)
def test_a_reference_can_be_named(spelling):
    assert base(spelling) == "b"


@pytest.mark.parametrize(
    "spelling",
    [
        "C(g, reference='most_exposed')",
        "C(g, contr.treatment('most_exposed'))",
        "relevel(g, ref='most_exposed')",
    ],
)
def test_the_most_exposed_level_is_that_of_rows_weights_or_exposure(spelling):
    assert base(spelling) == "c"  # three rows
    assert base(spelling, exposure="years") == "a"  # fourteen years
    assert base(spelling, frequency_weights=[1, 5, 1, 5, 1, 1, 1]) == "b"


def test_numbers_have_a_most_exposed_level_too():
    assert base("C(k, reference='most_exposed')") == "3"
    assert base("C(k, reference='most_exposed')", exposure="years") == "1"
    assert base("C(k, reference=2)") == "2"


def test_the_reference_moves_coefficients_and_nothing_else():
    first = em.glm("y ~ g", DATA, "poisson", exposure="years")
    most = em.glm("y ~ C(g, reference='c')", DATA, "poisson", exposure="years")
    assert_allclose(most.predict(), first.predict(), rtol=1e-10)
    assert_allclose(most.coef[1], -first.coef[2], rtol=1e-8)


def test_a_row_that_is_dropped_exposes_nothing():
    data = {**DATA, "x": np.r_[np.nan, np.zeros(5), np.nan]}
    with pytest.warns(em.EtamuWarning):
        fit = em.glm(
            "y ~ C(g, reference='most_exposed') + x", data | {"g": ["a", "b", "c", "b", "b", "c", "a"]}
        )
    assert any("T.c" in name for name in fit.names)


def test_the_chosen_reference_is_replayed_on_new_data():
    fit = em.glm("y ~ C(g, reference='most_exposed')", DATA, "poisson")
    new = {"g": ["a", "a", "a", "b", "c"]}
    assert_allclose(fit.predict(new)[[0, 3, 4]], fit.predict()[[0, 1, 2]])


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("C(g, reference='q')", "'q' is not a level"),
        ("C(g, contr.sum, reference='a')", "not both"),
        ("C(g, base='a')", "no argument 'base'.*reference"),
    ],
)
def test_a_wrong_reference_is_refused_by_name(formula, words):
    with pytest.raises(em.EtamuError, match=words):
        em.glm(f"y ~ {formula}", DATA, "poisson")
