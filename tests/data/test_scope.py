"""Full and reduced coding: the columns span what the terms span, and are independent."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from etamu.data.scope import _absorbs, _merged, scope

LEVELS = (2, 3, 2, 4)


def table() -> np.ndarray:
    """List every combination of levels, so that products of independent codings are independent."""
    return np.indices(LEVELS).reshape(len(LEVELS), -1)


def columns_of(scoped, codings) -> np.ndarray:
    """Multiply the columns of the factors of a product, each full or reduced."""
    out = np.ones((1, table().shape[1]))
    for factor, reduced in scoped:
        coding = codings[factor][:, 1:] if reduced else codings[factor]
        out = (out[:, None, :] * coding[table()[factor]].T[None]).reshape(-1, out.shape[1])
    return out


def everything_full(terms, codings) -> np.ndarray:
    return np.vstack([columns_of([(factor, False) for factor in term], codings) for term in terms])


def codings_of(spanning) -> list[np.ndarray]:
    """Indicators where the factor spans the constant, else a numeric column that does not."""
    return [
        np.eye(n) if factor in spanning else np.arange(2.0, n + 2)[:, None] ** 1.3
        for factor, n in enumerate(LEVELS)
    ]


TERMS = st.lists(
    st.sampled_from([part for size in range(5) for part in combinations(range(4), size)]),
    min_size=1,
    max_size=5,
    unique=True,
).map(lambda terms: sorted(terms, key=len))


@settings(max_examples=60)
@given(TERMS, st.frozensets(st.integers(0, 3)))
def test_columns_span_what_the_terms_span_and_are_independent(terms, spanning) -> None:
    codings = codings_of(spanning)
    built = [columns_of(scoped, codings) for products in scope(terms, spanning) for scoped in products]
    coded = np.vstack(built)
    full = everything_full(terms, codings)
    rank = np.linalg.matrix_rank(full)
    assert len(coded) == rank  # as many columns as dimensions, hence independent
    assert np.linalg.matrix_rank(np.vstack([coded, full])) == rank


@settings(max_examples=40)
@given(TERMS, st.frozensets(st.integers(0, 3)))
def test_a_term_adds_exactly_the_dimensions_earlier_terms_left(terms, spanning) -> None:
    codings = codings_of(spanning)
    before = 0
    for count, products in enumerate(scope(terms, spanning), start=1):
        rank = np.linalg.matrix_rank(everything_full(terms[:count], codings))
        assert sum(len(columns_of(scoped, codings)) for scoped in products) == rank - before
        before = rank


@given(TERMS)
def test_without_spanning_factors_every_term_is_itself_in_full(terms) -> None:
    expected = [[tuple((factor, False) for factor in term)] for term in terms]
    assert scope(terms, frozenset()) == expected


def test_order_decides_which_term_is_reduced() -> None:
    both = frozenset({0, 1})
    assert scope([(0,), (1,)], both) == [[((0, False),)], [((1, True),)]]
    assert scope([(1,), (0,)], both) == [[((1, False),)], [((0, True),)]]


def test_an_interaction_after_one_of_its_margins_is_full_in_that_margin() -> None:
    both = frozenset({0, 1})
    assert scope([(), (0,), (0, 1)], both)[2] == [((0, False), (1, True))]
    assert scope([(), (1,), (0, 1)], both)[2] == [((0, True), (1, False))]
    assert scope([(0, 1)], both) == [[((0, False), (1, False))]]


def test_a_repeated_term_adds_nothing() -> None:
    assert scope([(), (0,), (0,)], frozenset({0}))[2] == []
    assert scope([(0, 1), (0,)], frozenset({0, 1}))[1] == []


def test_no_terms_make_no_columns() -> None:
    assert scope([], frozenset({0})) == []
    assert scope([()], frozenset({0})) == [[()]]


@pytest.mark.parametrize(
    ("scoped", "other", "absorbs"),
    [
        (((0, True),), (), True),
        (((0, False),), (), False),
        (((0, True), (1, True)), ((1, True),), True),
        (((0, True), (1, True)), ((1, False),), False),
        (((0, True), (1, True)), (), False),
        ((), (), False),
    ],
    ids=["constant", "full", "one more", "other coding", "two more", "equal"],
)
def test_only_one_more_reduced_factor_is_absorbed(scoped, other, absorbs) -> None:
    assert _absorbs(scoped, other) is absorbs


def test_merging_all_parts_of_a_product_gives_the_full_product() -> None:
    parts = [
        tuple((factor, True) for factor in subset)
        for size in range(4)
        for subset in combinations(range(3), size)
    ]
    assert _merged(parts) == [((0, False), (1, False), (2, False))]
