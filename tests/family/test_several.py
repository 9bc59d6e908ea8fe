"""Units of several predictors as programs: the kernel gives NumPy's numbers for every family there is."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from etamu._base.kernel import kernel
from etamu.family import several
from etamu.family.families import Gamma, Gaussian, InverseGaussian
from etamu.family.links import Log
from etamu.family.location_scale import LocationScale
from etamu.family.multinomial import Multinomial
from etamu.family.program import assemble
from etamu.family.trace import Recorder
from tests.catalogue import NATURAL, VECTORS
from tests.family import test_natural as natural
from tests.family.test_vector import points

SCALED = tuple(LocationScale(family, Log()) for family in (Gaussian(), Gamma(), InverseGaussian()))
FAMILIES = (*VECTORS, *NATURAL, *SCALED)
SUMS = {"conway_maxwell_poisson": ("observed", "expected"), "beta_binomial": ("expected",)}
"""Informations that are sums over a support, of as many terms as the data need: no straight-line programs."""

every = pytest.mark.parametrize("family", FAMILIES, ids=str)
needs_kernel = pytest.mark.skipif(kernel is None, reason="no compiled kernel here: the NumPy twins serve")


def rows_of(family):
    """Responses and etas, some of them far out."""
    if family in VECTORS:
        near, far = points(family), points(family, seed=1, spread=9.0)
        return tuple(map(np.concatenate, zip(near[0], far[0], strict=True))), np.vstack([near[1], far[1]])
    if family in NATURAL:
        eta = natural.inside(family, rows=80)
        return natural.responses(family, eta), eta
    rng = np.random.default_rng(3)
    return (rng.gamma(2.0, 1.0, 80),), rng.normal(scale=2.0, size=(80, 2))


@every
@pytest.mark.parametrize("information", ["expected", "observed"])
def test_the_record_gives_what_the_formulas_give(family, information):
    y, eta = rows_of(family)
    k, wanted = eta.shape[1], ("value", "score", information)
    if information in SUMS.get(family.name, ()):
        with pytest.raises(TypeError):
            several.recorded(family, len(y), k, wanted)
        assert several.compiled(family, len(y), k, wanted) is None
        return
    value, score, matrix = family.bind(np, information)(y, eta)
    exact = [value, *score.T, *(matrix[:, i, j] for i in range(k) for j in range(i, k))]
    columns = [np.ascontiguousarray(each) for each in (*y, *eta.T)]
    replayed = assemble(*several.recorded(family, len(y), k, wanted)).run(*columns)
    found = [replayed]
    if kernel is not None:
        found.append(several.compiled(family, len(y), k, wanted).run(columns))
    size = np.abs(matrix).max(axis=(1, 2)) + np.abs(score).max(axis=1)
    for got in found:
        assert len(got) == len(exact)
        for one, other in zip(got, exact, strict=True):
            # what a rounding of eta moves a row's numbers by, times some 50 operations of half a rounding
            assert np.all(np.abs(one - other) <= 1e-13 * np.abs(other) + 1e-14 * size)


@needs_kernel
def test_what_is_not_asked_is_not_computed():
    family = Multinomial().among(("a", "b", "c"))
    assert several.compiled(family, 1, 2, ("value",)).outputs == 1
    assert several.compiled(family, 1, 2, ("value", "score")).outputs == 3
    assert several.compiled(family, 1, 2, ("value", "score", "expected")).outputs == 6


@needs_kernel
@pytest.mark.parametrize("k", [8, several.MOST])
@pytest.mark.parametrize("counted", [False, True])
def test_many_classes_are_run_by_the_kernel(k, counted):
    family = Multinomial().among(tuple("abcdefghijklmnop"[: k + 1]), counted=counted)
    rng = np.random.default_rng(k)
    y = (
        tuple(rng.integers(0, 4, (k + 1, 50)).astype(float))
        if counted
        else (rng.integers(0, k + 1, 50) * 1.0,)
    )
    eta = rng.normal(size=(50, k))
    program = several.compiled(family, len(y), k, ("value", "score", "expected"))
    got = program.run([np.ascontiguousarray(each) for each in (*y, *eta.T)])
    value, score, matrix = family.bind(np)(y, eta)
    assert_allclose(got[0], value, rtol=1e-13)
    assert_allclose(np.array(got[1 : k + 1]).T, score, rtol=1e-12, atol=1e-14)
    upper = np.array(got[k + 1 :])
    assert_allclose(upper, matrix[:, *np.triu_indices(k)].T, rtol=1e-12, atol=1e-14)


def test_very_many_predictors_are_left_to_numpy():
    k = several.MOST + 1
    assert several.compiled(Multinomial().among(tuple("abcdefghijklmnop"[: k + 1])), 1, k, ("value",)) is None


def test_a_family_without_a_hash_is_left_to_numpy():
    class Listed:
        __hash__ = None

    assert several.compiled(Listed(), 1, 2, ("value",)) is None


def numbers(xp, symbols):
    """Run a record on one row: inputs 1, 2, 3, ..."""
    recorder = xp.recorder
    nodes = [recorder.number(each) for each in symbols.entries.ravel()]
    columns = [np.array([1.0 + place]) for place in range(len(recorder.inputs))]
    got = [column[0] for column in assemble(recorder, nodes).run(*columns)]
    return np.array(got).reshape(symbols.shape)


def test_joining_functions_are_numpys():
    xp = several.Several(Recorder())
    x = several._row(xp.recorder, 4)
    plain = np.arange(1.0, 5.0)[None, :]
    for made, expected in (
        (xp.sum(x, axis=1), plain.sum(axis=1)),
        (xp.sum(x, axis=1, keepdims=True), plain.sum(axis=1, keepdims=True)),
        (xp.max(x, axis=1), plain.max(axis=1)),
        (xp.min(-x, axis=1), -plain.max(axis=1)),
        (xp.cumulative_sum(x, axis=1), plain.cumsum(axis=1)),
        (xp.flip(x, axis=1), plain[:, ::-1]),
        (xp.concat([x[:, 1:2], x], axis=1), np.concatenate([plain[:, 1:2], plain], axis=1)),
        (xp.where(xp.all(x > 0.0, axis=1), x[:, 1], 0.0), plain[:, 1]),
        (xp.where(xp.all(x > 2.0, axis=1), x[:, 1], 0.0), [0.0]),
        (xp.where(xp.all(x[:, :0] > 0.0, axis=1), 7.0, 0.0), [7.0]),
        (2.0**x + abs(-x) / 4.0 - (1.0 - x), 2.0**plain + plain / 4.0 - (1.0 - plain)),
        (xp.where(~(x >= 2.0) | (x == 3.0), x, -x), np.where((plain < 2) | (plain == 3), plain, -plain)),
    ):
        assert_array_equal(numbers(xp, made), expected)


def test_what_depends_on_data_is_refused():
    xp = several.Several(Recorder())
    x = several._row(xp.recorder, 2)
    for refused in (lambda: [*x], lambda: bool(x > 0), lambda: len(x), lambda: np.exp(x), lambda: x[0, 0]):
        with pytest.raises(TypeError):
            refused()
    with pytest.raises(AttributeError, match="sort"):
        xp.sort(x)


def test_the_strict_shapes_of_a_unit_are_held():
    class Wrong:
        def bind(self, xp, information):
            return lambda _, eta: (eta, eta, eta)

    with pytest.raises(TypeError, match="shape"):
        several.recorded(Wrong(), 1, 2, ("value",))
