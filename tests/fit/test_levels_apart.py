"""Levels and sparse columns all of whose rows run one way are found ahead, and only they."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import sparse

import etamu as em
from etamu.design.blocks import Coded, Dense, Sparse
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.design import Design
from etamu.execute.threads import Threads
from etamu.family.families import Bernoulli
from etamu.family.links import Logit
from etamu.family.unit import Unit
from etamu.fit import face
from etamu.fit.face import Rows
from etamu.fit.levels_apart import among, columns_one_way, levels_apart, one_way

WAYS = np.array([1, 1, -1, -1, 0, 2], dtype=np.int8)
COLUMNS = np.array(
    [  # one way up, one way down, signs with the ways, against them, a row that may not, one without a say
        [1.0, 0.0, 1.0, 1.0, 1.0, 1.0, 0.0],
        [2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, -3.0, 1.0, 0.0, 0.0, 0.0],
        [0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0],
    ]
)


def chunk_of(block: Coded | Dense | Sparse) -> Chunk:
    return Chunk((Predictor(Design((block,), 6)),), (np.zeros(6),), Weights(), np.arange(6))


def test_sparse_columns_are_one_way_by_the_sign_of_each_entry() -> None:
    chunk = chunk_of(Sparse(sparse.csr_array(COLUMNS)))
    ((place, found),) = columns_one_way(chunk, WAYS)
    assert (place, found.tolist()) == (0, [0, 1, 2])
    ((_, few),) = columns_one_way(chunk, WAYS, {0: np.array([1, 3])})
    assert few.tolist() == [1]
    assert among(chunk, [(0, found)]).tolist() == [True, True, True, True, False, False]
    assert one_way(chunk, WAYS) == []  # a column has no level to name


def test_dense_columns_too_whatever_their_shift_and_kind() -> None:
    whole = chunk_of(Dense((COLUMNS[:, :3], (COLUMNS[:, 3:] != 0.0)), shift=np.full(7, 0.5)))
    ((place, found),) = columns_one_way(whole, WAYS)
    assert (place, found.tolist()) == (0, [0, 1, 2])
    assert among(whole, [(0, found)]).tolist() == [True, True, True, True, False, False]
    assert columns_one_way(whole, np.ones(6, dtype=np.int8)) == []


def test_levels_are_one_way_by_their_rows() -> None:
    chunk = chunk_of(Coded(np.array([0, 0, 1, 1, 2, 3]), 5))
    ((place, found),) = one_way(chunk, WAYS)
    assert (place, found.tolist()) == (0, [0, 1])
    assert among(chunk, [(0, found)]).tolist() == [True, True, True, True, False, False]
    assert columns_one_way(chunk, WAYS) == []


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("form", [sparse.csr_array, sparse.csr_array.toarray], ids=["sparse", "dense"])
def test_a_column_that_separates_is_followed_at_once(form: Any, sign: float) -> None:
    """One column of a large design: in no more steps than without it, where the search would creep."""
    rng = np.random.default_rng(1)
    n = 160_000
    codes = rng.integers(0, 12, n)
    levels = (codes[:, None] == np.arange(1, 12)) * sign
    design = form(sparse.csr_array(np.hstack([levels, rng.uniform(1.0, 2.0, (n, 12))])))
    y = (rng.random(n) < 0.4).astype(float)
    plain = em.GLM(family="bernoulli").fit(design, y)
    with pytest.warns(em.SeparationWarning, match="x4 -> "):
        fit = em.GLM(family="bernoulli").fit(design, np.where(codes == 5, 0.0, y))
    assert fit.passes <= plain.passes + 2
    assert fit.existence.coefficients == {"x4": -sign * np.inf}
    assert np.array_equal(fit.existence.rows, np.flatnonzero(codes == 5))
    others = np.flatnonzero(np.arange(23) != 4)
    left = em.GLM(family="bernoulli").fit(design[codes != 5][:, others], y[codes != 5])
    assert np.delete(fit.coef, 5) == pytest.approx(left.coef, abs=1e-8)


FORMS = {
    "sparse": lambda x: Sparse(sparse.csr_array(x)),
    "dense": lambda x: Dense((x,)),
    "coded": lambda x: Coded(np.where(x[:, 0] > 0, 0, np.where(x[:, 1] > 0, 1, 2)), 3),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_column_that_separates_once_another_has_is_found_with_it(form: str) -> None:
    x = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    y = np.array([1.0, 1.0, 0.0, 0.0, 1.0, 0.0])  # the second column runs down but for a row of the first
    chunk = replace(chunk_of(FORMS[form](x)), y=(y,))
    rows: Any = Rows(Unit(Bernoulli(), Logit()), Threads(chunk), None)
    found = levels_apart(rows, chunk)
    assert found is not None
    assert found.separated.tolist() == [True, True, True, True, False, False]
    assert [(place, seen.tolist()) for place, seen in found.levels] == [(0, [0, 1])]


def test_rows_that_are_gone_may_stay_without_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    x = np.column_stack([rng.normal(size=(300, 3)), (np.arange(300) < 20) * rng.uniform(size=300)])
    y = np.where(x[:, 3] > 0.0, 1.0, rng.random(300) < 0.4).astype(float)
    weights = rng.integers(1, 4, 300)

    def fitted() -> Any:
        with pytest.warns(em.SeparationWarning):
            return em.GLM(family="bernoulli").fit(x, y, frequency_weights=weights)

    copied = fitted()
    monkeypatch.setattr(face, "COPIED", 0)
    kept = fitted()
    np.testing.assert_allclose(kept.coef, copied.coef, rtol=1e-9)
    np.testing.assert_allclose(kept.se, copied.se, rtol=1e-9)
    assert kept.loglik == pytest.approx(copied.loglik, rel=1e-12)
