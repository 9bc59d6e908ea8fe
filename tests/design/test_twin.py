from __future__ import annotations

import mmap

import numpy as np
import pytest
import scipy.sparse
from numpy.testing import assert_allclose

from etamu._base.kernel import kernel
from etamu.design import twin

needs_kernel = pytest.mark.skipif(kernel is None, reason="the kernel was not built")

LENGTHS = [0, 1, 255, 256, 257, 1000]
INTEGERS = ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
NUMBERS = ["float64", "float32", "int8", "int64", "uint16", "bool"]


def same(one, other):
    # Sums in another order: a few roundings of numbers of size 1, over at most 1,000 rows.
    assert_allclose(one, other, rtol=1e-12, atol=1e-12)


def block(rng, n, levels, dtype="int32", multiplier=None, scale=1.0, step=1):
    """Codes and multipliers as views with a stride; a negative one reads backwards."""
    codes = np.repeat(rng.integers(0, levels, n), abs(step))[::step].astype(dtype, copy=False)
    codes = np.repeat(codes, 2)[::2] if step != 1 else codes
    drawn = np.abs(rng.normal(size=n) * 3)  # what a negative number is without sign depends on the processor
    numbers = None if multiplier is None else drawn.astype(multiplier)[:: 1 if step > 0 else -1]
    return codes, levels, numbers, scale


@needs_kernel
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("dtype", INTEGERS)
def test_verbs_of_one_block_are_those_of_the_twin(n, dtype):
    rng = np.random.default_rng(n)
    one = block(rng, n, 5, dtype, "float64", 2.0, step=-1)
    beta, v = rng.normal(size=5), rng.normal(size=n)
    same(kernel.coded_matvec(one, beta), twin.coded_matvec(one, beta))
    same(kernel.coded_quadratic(one, beta), twin.coded_quadratic(one, beta))
    same(kernel.coded_rmatvec(one, v), twin.coded_rmatvec(one, v))
    same(kernel.coded_diagonal(one, v), twin.coded_diagonal(one, v))


@needs_kernel
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("multiplier", [None, *NUMBERS])
@pytest.mark.parametrize("step", [1, 3, -2])
def test_pairs_are_those_of_the_twin(n, multiplier, step):
    rng = np.random.default_rng(n)
    a, b = block(rng, n, 3, "int8", multiplier, 0.5, step), block(rng, n, 7, "int64", None, 1.0, step)
    w, panel = rng.normal(size=n), rng.normal(size=(n, 11))
    same(kernel.coded_cross(a, b, w), twin.coded_cross(a, b, w))
    same(kernel.coded_dense_cross(a, panel, w), twin.coded_dense_cross(a, panel, w))
    m, wide = rng.normal(size=(3, 7)), rng.normal(size=(3, 11))
    same(kernel.coded_bilinear(a, b, m), twin.coded_bilinear(a, b, m))
    same(kernel.coded_dense_bilinear(a, panel, wide), twin.coded_dense_bilinear(a, panel, wide))


@needs_kernel
@pytest.mark.parametrize("levels", [1, 2, 300, 3_000, 70_000])
@pytest.mark.parametrize("ordered", [False, True], ids=["in any order", "sorted"])
def test_any_number_of_levels(levels, ordered):
    rng = np.random.default_rng(levels)
    codes = rng.integers(0, levels, 1000).astype(np.int32)
    one = (np.sort(codes) if ordered else codes, levels, None, 1.0)
    other = block(rng, 1000, 13)
    w = rng.normal(size=1000)
    same(kernel.coded_diagonal(one, w), twin.coded_diagonal(one, w))
    same(kernel.coded_cross(one, other, w), twin.coded_cross(one, other, w))
    same(kernel.coded_dense_cross(one, w[:, None], w), twin.coded_dense_cross(one, w[:, None], w))


@needs_kernel
@pytest.mark.parametrize("n", LENGTHS)
@pytest.mark.parametrize("columns", [None, 0, 1, 8, 9])
def test_all_pairs_of_one_pass_are_those_of_the_twin(n, columns):
    rng = np.random.default_rng(n)
    blocks = (block(rng, n, 4), block(rng, n, 6, "uint8", "float32", 3.0), block(rng, n, 2, "int64"))
    panel = None if columns is None else rng.normal(size=(n, columns))
    w = rng.normal(size=n)
    found, expected = (verbs.coded_gram(blocks, panel, w) for verbs in (kernel, twin))
    for left, right in zip(found[:2], expected[:2], strict=True):
        assert len(left) == len(right)
        for one, other in zip(left, right, strict=True):
            same(one, other)
    assert found[2].keys() == expected[2].keys()
    for pair, table in found[2].items():
        same(table, expected[2][pair])


@needs_kernel
@pytest.mark.parametrize("n", [0, 300, 300_000])
def test_a_wide_pair_keeps_the_cells_that_occur(n):
    rng = np.random.default_rng(n)
    a, b = block(rng, n, 20_000, multiplier="float64"), block(rng, n, 20_000, "int64")
    w = rng.normal(size=n)
    cells, values = kernel.coded_cross(a, b, w, sparse=True)
    met, sums = twin.coded_cross(a, b, w, sparse=True)
    assert np.array_equal(cells, met)
    same(values, sums)
    assert len(cells) <= n


def test_ten_thousand_times_ten_thousand_levels_are_summed_cell_by_cell():
    for verbs in [twin] if kernel is None else [twin, kernel]:
        assert verbs.coded_sparse_pair(10_000, 10_000, 1_000_000)
        assert not verbs.coded_sparse_pair(3_000, 300, 1_000_000)
        assert not verbs.coded_sparse_pair(50, 50, 10)


@needs_kernel
def test_sparse_tables_add_as_the_twin_adds():
    rng = np.random.default_rng(2)
    one, other = ((np.unique(rng.integers(0, 50, 30)), None) for _ in range(2))
    one, other = ((cells, rng.normal(size=len(cells))) for cells, _ in (one, other))
    for left, right in [(one, other), (one, one), ((one[0][:0], one[1][:0]), other)]:
        found, expected = kernel.coded_merge(left, right), twin.coded_merge(left, right)
        assert np.array_equal(found[0], expected[0])
        same(found[1], expected[1])


@needs_kernel
def test_a_code_outside_the_levels_is_refused_before_anything_is_touched():
    for codes in ([0, 3], [-1, 0]):
        with pytest.raises(IndexError, match="not among the levels"):
            kernel.coded_matvec((np.array(codes), 3, None, 1.0), np.zeros(3))
    with pytest.raises(TypeError, match="integers"):
        kernel.coded_matvec((np.zeros(2), 3, None, 1.0), np.zeros(3))
    with pytest.raises(ValueError, match="length"):
        kernel.coded_rmatvec((np.zeros(2, int), 3, None, 1.0), np.zeros(3))


@needs_kernel
def test_what_is_not_finite_stays_so():
    one = (np.array([0, 1, 1]), 2, None, 1.0)
    assert np.isnan(kernel.coded_rmatvec(one, np.array([1.0, np.nan, 2.0]))).tolist() == [False, True]
    assert kernel.coded_matvec(one, np.array([np.inf, 0.0])).tolist() == [np.inf, 0.0, 0.0]


def sparse_block(rng, n, width, index):
    matrix = scipy.sparse.random(n, width, 0.3, format="csr", random_state=rng)
    parts = matrix.indptr.astype(index), matrix.indices.astype(index), matrix.data, width
    return kernel.csr_rows(*parts), twin.csr_rows(*parts)


@needs_kernel
@pytest.mark.parametrize("n", [0, 1, 257, 600])
@pytest.mark.parametrize("index", ["int32", "int64"])
@pytest.mark.parametrize("part", [False, True])
def test_sparse_verbs_are_those_of_the_twin(n, index, part):
    rng = np.random.default_rng(n)
    (x, x_twin), (z, z_twin) = sparse_block(rng, n, 6, index), sparse_block(rng, n, 4, "int32")
    if part and n:
        x, x_twin = kernel.csr_part(x, 1, n), twin.csr_part(x_twin, 1, n)
        z, z_twin = kernel.csr_part(z, 0, n - 1), twin.csr_part(z_twin, 0, n - 1)
        n -= 1
    beta, w, panel = rng.normal(size=6), rng.normal(size=n), rng.normal(size=(n, 3))
    coded = block(rng, n, 5, "int16", "float32")
    same(kernel.csr_matvec(x, beta), twin.csr_matvec(x_twin, beta))
    same(kernel.csr_rmatvec(x, w), twin.csr_rmatvec(x_twin, w))
    same(kernel.csr_gram(x, w), twin.csr_gram(x_twin, w))
    same(kernel.csr_gram(x, w, beta), twin.csr_gram(x_twin, w, beta))
    matrix = np.add.outer(beta, beta)
    same(kernel.csr_quadratic(x, matrix), twin.csr_quadratic(x_twin, matrix))
    same(kernel.csr_moments(x), twin.csr_moments(x_twin))
    same(kernel.csr_dense_cross(x, panel, w), twin.csr_dense_cross(x_twin, panel, w))
    same(kernel.csr_coded_cross(x, coded, w), twin.csr_coded_cross(x_twin, coded, w))
    same(kernel.csr_cross(x, z, w), twin.csr_cross(x_twin, z_twin, w))
    gram = kernel.csr_gram(x, w, beta)
    assert np.array_equal(gram, gram.T)


@needs_kernel
def test_a_column_named_twice_in_a_row_counts_twice():
    x = kernel.csr_rows(np.array([0, 3]), np.array([1, 0, 1]), np.array([2.0, 5.0, 3.0]), 2)
    panel = np.array([[5.0, 5.0]])
    same(kernel.csr_gram(x, np.array([2.0])), 2.0 * panel.T @ panel)


@needs_kernel
def test_sparse_rows_of_any_length_and_a_table_beyond_the_cache():
    rng = np.random.default_rng(4)
    lengths = np.array([0, 1, 31, 32, 33, 500, 0, 2, *rng.integers(0, 6, 300)])
    columns = [np.sort(rng.permutation(600)[:length]) for length in lengths]
    parts = np.append(0, np.cumsum(lengths)), np.concatenate(columns), rng.normal(size=lengths.sum()), 600
    x, x_twin = kernel.csr_rows(*parts), twin.csr_rows(*parts)
    w, beta = rng.normal(size=len(lengths)), rng.normal(size=600)
    assert_allclose(kernel.csr_matvec(x, beta), twin.csr_matvec(x_twin, beta), rtol=1e-11, atol=1e-11)
    same(kernel.csr_rmatvec(x, w), twin.csr_rmatvec(x_twin, w))
    same(kernel.csr_gram(x, w), twin.csr_gram(x_twin, w))


@needs_kernel
def test_rows_that_point_outside_are_refused():
    with pytest.raises(IndexError, match="columns"):
        kernel.csr_rows(np.array([0, 1]), np.array([7]), np.ones(1), 2)
    with pytest.raises(ValueError, match="indptr"):
        kernel.csr_rows(np.array([0, 5]), np.array([0]), np.ones(1), 2)
    with pytest.raises(IndexError, match="part"):
        kernel.csr_part(kernel.csr_rows(np.array([0, 1]), np.array([0]), np.ones(1), 2), 0, 2)


@needs_kernel
@pytest.mark.skipif(not hasattr(mmap, "MAP_PRIVATE"), reason="so many addresses cannot be had for nothing")
def test_entries_beyond_the_31st_bit_are_found():
    count = 2**31 + 7
    try:  # pages that nobody writes to do not exist
        indices, numbers = (
            np.frombuffer(
                mmap.mmap(-1, 8 * count, flags=mmap.MAP_PRIVATE | getattr(mmap, "MAP_NORESERVE", 0)), dtype
            )
            for dtype in (np.int64, np.float64)
        )
    except OSError:
        pytest.skip("so many addresses cannot be had for nothing")
    indices[-3:], numbers[-3:] = [0, 2, 1], [5.0, 7.0, 11.0]
    x = kernel.csr_rows(np.array([count - 5, count - 3, count - 1, count]), indices, numbers, 3)
    assert kernel.csr_matvec(x, np.array([1.0, 10.0, 100.0])).tolist() == [0.0, 705.0, 110.0]
    assert np.diag(kernel.csr_gram(x, np.ones(3))).tolist() == [25.0, 121.0, 49.0]
