"""Terms own the columns of the design, and marginality is inclusion of their factors."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import etamu as em
from etamu.fit.model_terms import ModelTerm, all_terms, columns_of, droppable, terms_of, terms_of_layout

RNG = np.random.default_rng(3)
DATA = {
    "y": RNG.normal(size=80),
    "x": RNG.normal(size=80),
    "z": RNG.normal(size=80),
    "g": np.array(list("abcd") * 20),
    "h": np.array(list("uv") * 20 + list("vu") * 20),
}
FORMULAS = (
    "y ~ x*g",
    "y ~ 0 + g + x",
    "y ~ g*h + poly(z, 2)",
    "y ~ x*z*h",
    "y ~ 1",
    "y ~ 0 + x:g",
    "y ~ g/x",
)


def fit(formula: str) -> em.Fit:
    return em.glm(formula, DATA)


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_terms_share_out_the_columns(formula) -> None:
    model = fit(formula)
    every = all_terms(model)
    assert sorted(column for term in every for column in term.columns) == list(range(len(model.names)))
    assert columns_of(every) == tuple(range(len(model.names)))
    assert columns_of(every[::-1]) == columns_of(every)


@pytest.mark.parametrize("formula", FORMULAS)
def test_the_columns_of_a_term_read_its_factors_alone(formula) -> None:
    model = fit(formula)
    for term in terms_of(model):
        for column in term.columns:
            parts = {part.split("[")[0] for part in model.names[column].split(":")}
            assert parts == term.factors


@pytest.mark.parametrize("formula", FORMULAS)
def test_only_the_intercept_has_no_factors(formula) -> None:
    model = fit(formula)
    missing = [term.label for term in all_terms(model) if term not in terms_of(model)]
    assert missing == (["Intercept"] if "Intercept" in model.names else [])
    assert all(term.factors for term in terms_of(model))


def test_an_interaction_contains_its_margins_and_not_itself() -> None:
    terms = {term.label: term for term in terms_of(fit("y ~ x*z*h"))}
    pairs = {(a, b) for a in terms for b in terms if terms[a].contains(terms[b])}
    expected = {(a, b) for a in terms for b in terms if set(b.split(":")) < set(a.split(":"))}
    assert pairs == expected
    assert ("x:z:h", "x:z") in pairs
    assert len(pairs) == 12


@pytest.mark.parametrize(
    ("formula", "labels"),
    [
        ("y ~ x*g", ["x:g"]),
        ("y ~ x*g + z", ["z", "x:g"]),
        ("y ~ x + z + g", ["x", "z", "g"]),
        ("y ~ x*z*h", ["x:z:h"]),
        ("y ~ (x + z + h)**2", ["x:z", "x:h", "z:h"]),
        ("y ~ x + x:g", ["x:g"]),
        ("y ~ 1", []),
    ],
)
def test_the_droppable_terms_are_those_none_contains(formula, labels) -> None:
    assert [term.label for term in droppable(terms_of(fit(formula)))] == labels


def test_dropping_the_droppable_one_by_one_never_leaves_an_orphan() -> None:
    left = terms_of(fit("y ~ x*z*h + g"))
    every = set(left)
    while left:
        gone = droppable(left)[0]
        left = tuple(term for term in left if term is not gone)
        for term in left:
            # All margins of the model that are left are still there.
            assert {other for other in every if term.contains(other)} <= set(left)


def test_the_order_of_factors_does_not_matter_to_containment() -> None:
    one = ModelTerm("a:b", (1,), frozenset({"a", "b"}))
    other = ModelTerm("b:a", (2,), frozenset({"b", "a"}))
    assert not one.contains(other)
    assert all(
        ModelTerm("a:b:c", (3,), frozenset("abc")).contains(ModelTerm(":".join(pair), (0,), frozenset(pair)))
        for pair in combinations("abc", 2)
    )


def test_a_label_within_another_is_no_margin() -> None:
    data = DATA | {"xx": DATA["z"], "log_x": DATA["x"] ** 2}
    terms = terms_of(em.glm("y ~ x + xx + log_x", data))
    assert droppable(terms) == terms


def test_without_a_schema_columns_are_terms_of_their_own() -> None:
    layout = fit("y ~ x + z").problem.layout
    terms = terms_of_layout(layout, None)
    assert [term.label for term in terms] == ["Intercept", "x", "z"]
    assert [term.factors for term in terms] == [frozenset(), frozenset({"x"}), frozenset({"z"})]
    assert [term.columns for term in terms] == [(0,), (1,), (2,)]


def test_a_basis_is_one_term_of_several_columns() -> None:
    terms = terms_of(fit("y ~ poly(z, 3) + x"))
    assert [len(term.columns) for term in terms] == [3, 1]
    assert terms[0].factors == {"poly(z, 3)"}


def test_aliased_columns_still_belong_to_their_term() -> None:
    with pytest.warns(em.AliasWarning, match="w"):
        model = em.glm("y ~ x + w", DATA | {"w": 2 * DATA["x"]})
    assert model.aliased == ("w",)
    assert [(term.label, term.columns) for term in terms_of(model)] == [("x", (1,)), ("w", (2,))]
