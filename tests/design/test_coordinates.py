from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose

from etamu.design import coordinates as coordinates_module
from etamu.design.blocks import Coded, Dense
from etamu.design.coordinates import Coordinates, describe, exclusive, extent, standardised
from etamu.design.design import Design
from etamu.design.layout import ContrastPart, Layout, TermColumns, plain_layout

N = 60
RNG = np.random.default_rng(4)


@pytest.fixture
def mixed():
    """Intercept, two numbers, a factor by treatment contrasts, a factor times a number."""
    x = RNG.normal([50.0, -3.0], [2.0, 0.1], (N, 2))
    region, kind, dose = RNG.integers(0, 4, N), RNG.integers(0, 3, N), RNG.normal(1e5, 10.0, N)
    blocks = (Dense((np.ones(N), x[:, 0])), Coded(region, 4), Dense((x[:, 1],)), Coded(kind, 3, dose))
    names = ("Intercept", "x", "B", "C", "D", "z", "k0", "k1", "k2")
    terms = tuple(TermColumns(name, slice(j, j + 1)) for j, name in enumerate(names))
    parts = (
        ContrastPart(slice(2, 5), slice(2, 6), np.eye(4)[:, 1:]),
        ContrastPart(slice(6, 9), slice(7, 10), np.eye(3)),
    )
    constant = (np.arange(9) == 0).astype(float)
    layout = Layout(names, terms, np.array([0, 1, 5]), np.array([0, 1, 6]), parts, 10, constant)
    return Design(blocks, N), layout


@pytest.fixture
def worked(mixed):
    design, layout = mixed
    moments = describe(design)
    placed, coordinates = standardised(design, layout, moments)
    reported = layout.gather(design.dense().T).T
    return placed, coordinates, reported, moments


def test_eta_is_the_same_in_working_and_reported_coordinates(worked):
    placed, coordinates, reported, _ = worked
    beta = RNG.normal(size=coordinates.size)
    eta = placed.matvec(coordinates.raw(beta))
    assert_allclose(coordinates.rows(placed) @ beta, eta, rtol=1e-12)
    assert_allclose(reported @ coordinates.reported(beta), eta, rtol=1e-9)


def test_working_undoes_reported(worked):
    _, coordinates, _, _ = worked
    beta = RNG.normal(size=coordinates.size)
    assert_allclose(coordinates.working(coordinates.reported(beta)), beta, rtol=1e-9, atol=1e-12)


def test_covariance_maps_as_the_coefficients_do(worked):
    _, coordinates, _, _ = worked
    cov = np.cov(RNG.normal(size=(coordinates.size, 40)))
    s = coordinates.reported(np.eye(coordinates.size))
    assert_allclose(coordinates.reported_covariance(cov), s @ cov @ s.T, rtol=1e-12)


def test_a_hypothesis_means_the_same_in_both_coordinates(worked):
    _, coordinates, _, _ = worked
    beta, rows = RNG.normal(size=coordinates.size), RNG.normal(size=(2, 9))
    assert_allclose(coordinates.hypothesis(rows) @ beta, rows @ coordinates.reported(beta), rtol=1e-9)


def test_quadratic_forms_agree(worked):
    placed, coordinates, _, _ = worked
    m = np.cov(RNG.normal(size=(coordinates.size, 40)))
    x = coordinates.rows(placed)
    expected = np.einsum("ij,jk,ik->i", x, m, x)
    assert_allclose(placed.quadratic(coordinates.raw_matrix(m)), expected, rtol=1e-10)


def test_grams_agree(worked):
    placed, coordinates, _, _ = worked
    w = RNG.normal(size=N)
    x = coordinates.rows(placed)
    assert_allclose(coordinates.gram(placed.gram(w)), x.T @ (w[:, None] * x), rtol=1e-10, atol=1e-9)


def test_columns_after_the_constant_are_centred_and_of_unit_size(worked):
    placed, coordinates, _, _ = worked
    x = coordinates.rows(placed)
    assert np.all(np.abs(x[:, [1, 5]].mean(axis=0)) < 1e-12)
    size = np.sqrt((x[:, [1, 5]] ** 2).mean(axis=0))
    assert np.all((size > 0.7) & (size < 1.42))


def test_scales_are_powers_of_two_so_that_dividing_is_exact(worked):
    _, coordinates, _, _ = worked
    assert np.all(np.log2(coordinates.scale) == np.round(np.log2(coordinates.scale)))


def test_extent_bounds_every_working_column(worked):
    placed, coordinates, _, moments = worked
    x = np.abs(coordinates.rows(placed)).max(axis=0)
    bound = extent(coordinates, moments)
    assert np.all(x <= bound * (1 + 1e-12))
    assert_allclose(bound, x, rtol=0.01)


def test_a_dropped_alias_is_nan_and_named_and_the_rest_unmoved(worked):
    placed, coordinates, reported, _ = worked
    flags = np.arange(coordinates.size) == 3
    fewer = coordinates.without(flags)
    assert fewer.aliased == ("C",)
    beta = RNG.normal(size=fewer.size)
    out = fewer.reported(beta)
    assert np.isnan(out[3])
    assert_allclose(reported @ np.nan_to_num(out), placed.matvec(fewer.raw(beta)), rtol=1e-9)


def test_without_a_constant_nothing_is_shifted():
    x = RNG.normal(100.0, 1.0, N)
    _, coordinates = standardised(
        Design((Dense((x,)),), N), plain_layout(("x",)), describe(Design((Dense((x,)),), N))
    )
    assert coordinates.shift[0] == 0.0


def test_a_column_before_the_constant_is_not_shifted():
    x = RNG.normal(100.0, 1.0, N)
    design = Design((Dense((x, np.ones(N))),), N)
    _, coordinates = standardised(design, plain_layout(("x", "Intercept"), intercept=1), describe(design))
    assert coordinates.shift[0] == 0.0


def test_new_rows_get_the_shift_and_scale_of_the_old(mixed):
    design, layout = mixed
    placed, coordinates = standardised(design, layout, describe(design))
    some = np.array([7, 3])
    assert_allclose(coordinates.placed(design.take(some)).dense(), placed.dense()[some])


def test_columns_that_exclude_each_other_share_a_number_and_no_others_do(worked):
    placed, coordinates, _, _ = worked
    groups = exclusive(placed, coordinates)
    # Region's parts and kind's are contrasts here; none of their columns is said to exclude another.
    assert len(set(groups.tolist())) == coordinates.size


@pytest.mark.parametrize("dropped", [None, 3])
def test_levels_reported_as_they_stand_exclude_each_other(dropped):
    rng = np.random.default_rng(6)
    first, second, x = rng.integers(0, 4, N), rng.integers(0, 3, N), rng.normal(size=N)
    design = Design((Dense((np.ones(N),)), Coded(first, 4), Dense((x,)), Coded(second, 3, x)), N)
    names = ("Intercept", "b", "c", "d", "x", "k0", "k1", "k2")
    terms = tuple(TermColumns(name, slice(j, j + 1)) for j, name in enumerate(names))
    reported, raw = np.arange(8), np.array([0, 2, 3, 4, 5, 6, 7, 8])  # the first level is left out
    layout = Layout(names, terms, reported, raw, (), 9, (reported == 0).astype(float))
    placed, coordinates = standardised(design, layout, describe(design))
    if dropped is not None:
        coordinates = coordinates.without(np.arange(8) == dropped)
    groups = exclusive(placed, coordinates)
    rows = coordinates.rows(placed)
    for number in set(groups.tolist()):
        assert (rows[:, groups == number] != 0.0).sum(axis=1).max() <= 1
    sizes = sorted(np.unique(groups, return_counts=True)[1].tolist())
    assert sizes == ([1, 1, 3, 3] if dropped is None else [1, 1, 2, 3])


def test_the_stretch_bounds_how_much_longer_contrasts_make_a_row(worked):
    placed, coordinates, _, _ = worked
    raw, working = (placed.dense() ** 2).sum(axis=1), (coordinates.rows(placed) ** 2).sum(axis=1)
    assert np.all(working <= coordinates.stretch * raw * (1 + 1e-12))
    assert coordinates.stretch == 1.0  # selections shorten


def test_contrasts_may_lengthen_a_row_by_the_stretch():
    rng = np.random.default_rng(7)
    codes, dose = rng.integers(0, 3, N), rng.normal(size=N)
    design = Design((Dense((np.ones(N),)), Coded(codes, 3, dose)), N)
    matrix = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 2.0], [-1.0, -1.0, 2.0]])
    names = ("Intercept", "u", "v", "w")
    terms = tuple(TermColumns(name, slice(j, j + 1)) for j, name in enumerate(names))
    parts = (ContrastPart(slice(1, 4), slice(1, 4), matrix),)
    layout = Layout(names, terms, np.array([0]), np.array([0]), parts, 4, (np.arange(4) == 0).astype(float))
    placed, coordinates = standardised(design, layout, describe(design))
    raw, working = (placed.dense() ** 2).sum(axis=1), (coordinates.rows(placed) ** 2).sum(axis=1)
    assert coordinates.stretch == 6.0
    assert np.all(working <= 6.0 * raw)
    assert np.max(working / raw) > 1.0


@pytest.mark.skipif(coordinates_module.kernel is None, reason="not compiled")
def test_working_columns_read_off_a_gram_by_the_kernel_are_those_of_numpy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    raw, index = np.random.default_rng(3).normal(size=(41, 41)), np.arange(41)
    chosen = Coordinates(plain_layout(tuple(map(str, index))), index[index % 5 > 0], index * 0.0, index + 1.0)
    found = chosen.gram(raw)
    monkeypatch.setattr(coordinates_module, "kernel", None)
    np.testing.assert_array_equal(found, chosen.gram(raw))
    np.testing.assert_array_equal(found, found.T)


@pytest.mark.skipif(coordinates_module.kernel is None, reason="not compiled")
def test_places_beyond_a_matrix_are_refused() -> None:
    with pytest.raises(ValueError, match="beyond the matrix"):
        coordinates_module.kernel.chosen(np.eye(2), np.array([0, 2]), np.empty((2, 2)))
    with pytest.raises(ValueError, match="shapes"):
        coordinates_module.kernel.chosen(np.eye(2), np.array([0]), np.empty((2, 2)))
