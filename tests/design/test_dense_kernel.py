"""The compiled verbs of dense columns say what NumPy says, for every instruction set of this processor."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from etamu._base.kernel import kernel
from etamu.design import blocks
from etamu.design.blocks import Dense
from etamu.design.cross import bilinear, cross

pytestmark = pytest.mark.skipif(kernel is None, reason="no compiled kernel, or ETAMU_KERNEL=numpy")


def sets() -> list[str]:
    """Name the instruction sets that this build and this processor have."""
    found = []
    for name in ("base", "avx2", "avx512", "amx"):
        try:
            kernel.dense_matvec((np.zeros(1),), None, None, np.zeros(1), instruction_set=name)
        except ValueError:
            continue
        found.append(name)
    return found


SETS = [] if kernel is None else sets()
# Around every multiple of a vector, of a sliver (8, 16) and of a strip (24, 48), and past a cache.
WIDTHS = [0, 1, 2, 5, 7, 8, 9, 15, 16, 17, 24, 25, 31, 32, 33, 39, 47, 49, 64, 100, 129]
# Around a group of rows (8) and a tile (256).
LENGTHS = [0, 1, 7, 8, 9, 255, 256, 257, 264, 1000]


def close(got: np.ndarray, expected: np.ndarray, size: np.ndarray, unit: float = 1e-14) -> None:
    """Compare up to rounding, a share of `size`: the sum of the absolute values of the terms."""
    assert got.shape == expected.shape
    assert_allclose(got, expected, rtol=0, atol=unit * max(size.max(initial=0.0), 1e-300))


def single_unit(name: str) -> float:
    """Say what share of its terms a Gram for a step may miss: float32, or two bfloat16 per number."""
    return 4e-5 if name == "amx" else 1e-6


def coarse_unit(name: str) -> float:
    """Say the same of a coarse Gram: one bfloat16 per number."""
    return 8e-3 if name == "amx" else 1e-6


def check_all(columns, shift, scale, n, p, name) -> None:
    """Hold every verb against its formula in NumPy."""
    rng = np.random.default_rng(p * 1009 + n)
    x = np.column_stack(columns).astype(np.float64) if columns else np.zeros((n, 0))
    x = x if shift is None else x - shift
    x = x if scale is None else x / scale
    beta, w, m = rng.normal(size=p), rng.normal(size=n), rng.normal(size=(p, p))
    w[::3] = 0.0
    a, block, use = np.abs(x), (columns, shift, scale), {"instruction_set": name}
    close(kernel.dense_matvec(*block, beta, **use), x @ beta, a @ np.abs(beta))
    close(kernel.dense_rmatvec(*block, w, **use), x.T @ w, a.T @ np.abs(w))
    size = a.T @ (a * np.abs(w)[:, None])
    gram = kernel.dense_gram(*block, w, **use)
    close(gram, x.T @ (x * w[:, None]), size)
    assert_array_equal(gram, gram.T)
    close(kernel.dense_gram(*block, None, **use), x.T @ x, a.T @ a)
    single = kernel.dense_gram(*block, w, single=True, **use)
    close(single, x.T @ (x * w[:, None]), size, unit=single_unit(name))
    assert_array_equal(single, single.T)
    coarse = kernel.dense_gram(*block, w, coarse=True, **use)
    close(coarse, x.T @ (x * w[:, None]), size, unit=coarse_unit(name))
    assert_array_equal(coarse, coarse.T)
    close(kernel.dense_cross(*block, *block, w, **use), x.T @ (x * w[:, None]), size)
    close(kernel.dense_cross(*block, *block, w, single=True, **use), x.T @ (x * w[:, None]), size, unit=1e-6)
    form, size = np.einsum("ij,ij->i", x @ m, x), np.einsum("ij,ij->i", a @ np.abs(m), a)
    close(kernel.dense_quadratic(*block, m, **use), form, size)
    close(kernel.dense_bilinear(*block, *block, m, **use), form, size)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("p", WIDTHS)
def test_every_width(p, name):
    rng = np.random.default_rng(p)
    x = rng.normal(size=(300, p))
    check_all((x,), None, None, 300, p, name)
    check_all((x,), rng.normal(size=p), rng.uniform(0.5, 2.0, p), 300, p, name)
    if p:
        check_all(tuple(x.T.copy()), rng.normal(size=p), None, 300, p, name)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("n", LENGTHS)
def test_every_length(n, name):
    rng = np.random.default_rng(n)
    x = rng.normal(size=(n, 11))
    check_all((x,), None, None, n, 11, name)
    check_all((np.asfortranarray(x),), None, rng.uniform(0.5, 2.0, 11), n, 11, name)


@pytest.mark.parametrize("name", SETS)
def test_a_wide_block(name):
    x = np.random.default_rng(6).normal(size=(270, 600))
    check_all((x,), None, None, 270, 600, name)


def read_only(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x.flags.writeable = False
    return x


def unaligned(x: np.ndarray) -> np.ndarray:
    """Copy the numbers to an odd address."""
    memory = np.empty(x.nbytes + 1, dtype=np.uint8)
    out = memory[1:].view(x.dtype).reshape(x.shape)
    out[...] = x
    return out


def in_records(x: np.ndarray) -> np.ndarray:
    """Keep a column in a record of 13 bytes: the stride is no multiple of the size of a number."""
    table = np.zeros(len(x), dtype=[("flag", "i1"), ("x", "f8"), ("code", "i4")])
    table["x"] = x[:, 0]
    return table["x"]


LAYOUTS = {
    "rows": lambda x: (x,),
    "columns": lambda x: (np.asfortranarray(x),),
    "separate": lambda x: tuple(x.T.copy()),
    "part of each row": lambda x: (np.hstack([x, x])[:, 1 : x.shape[1] + 1],),
    "every other row": lambda x: (np.repeat(x, 2, axis=0)[::2],),
    "backwards": lambda x: (x[::-1],),
    "columns backwards": lambda x: (x[:, ::-1], x[::-1, ::-1].T.copy().T),
    "every other column": lambda x: (x[:, ::2],),
    "the same row again": lambda x: (np.broadcast_to(x[0], x.shape),),
    "read-only": lambda x: (read_only(x), read_only(x[:, 0])),
    "unaligned": lambda x: (unaligned(x), unaligned(x[:, 0])),
    "records": lambda x: (in_records(x), x),
    "mixed": lambda x: (
        x[:, 0],
        x[:, 1:4],
        x.astype(np.float32),
        x[:, 3].copy(),
        np.asfortranarray(x),
        x[:, :0],
    ),
    "an array of 9 and one of 8": lambda x: (x[:, :9].copy(), x[:, :8].copy()),
}


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout(layout, name):
    x = np.random.default_rng(3).normal(size=(277, 13))
    columns = LAYOUTS[layout](x)
    p = np.column_stack(columns).shape[1]
    check_all(columns, None, None, 277, p, name)
    check_all(columns, np.linspace(-1.0, 1.0, p), np.linspace(0.5, 1.5, p), 277, p, name)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("kind", "dfbhilqBHILQ?")
def test_every_type_of_number(kind, name):
    rng = np.random.default_rng(5)
    for p in (1, 8, 11):
        x = rng.integers(0, 2 if kind == "?" else 100, size=(261, p))
        x = (x if kind in "?BHILQ" else x - 50).astype(kind)
        check_all((x,), None, None, 261, p, name)
        check_all((x[:, 0].copy(), x[::-1]), None, None, 261, p + 1, name)


@pytest.mark.parametrize("name", SETS)
def test_the_ends_of_every_integer_are_read_whole(name):
    for kind in "bhilqBHILQ":
        ends = np.array([np.iinfo(kind).min, np.iinfo(kind).max], dtype=kind)
        for column in (ends, np.repeat(ends, 2)[::2], np.repeat(ends[:, None], 8, axis=1)):
            p = 1 if column.ndim == 1 else 8
            eta = kernel.dense_matvec((column,), None, None, np.eye(p)[0], instruction_set=name)
            assert_array_equal(eta, ends.astype(np.float64))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("p", [3, 30])
def test_what_is_not_finite_is_not_lost(bad, p, name):
    x = np.random.default_rng(8).normal(size=(260, p))
    x[257, 1] = bad
    use = {"instruction_set": name}
    for columns in ((x,), tuple(x.T.copy())):
        eta = kernel.dense_matvec(columns, None, None, np.ones(p), **use)
        assert np.flatnonzero(~np.isfinite(eta)).tolist() == [257]
        for single in (False, True):
            gram = kernel.dense_gram(columns, None, None, np.ones(260), single, **use)
            affected = ~np.isfinite(gram)
            assert affected[1].all()
            assert affected[:, 1].all()
            assert affected.sum() == 2 * p - 1
            both = (columns, None, None, (np.ones((260, 3)),), None, None)
            table = kernel.dense_cross(*both, None, single, **use)
            assert np.flatnonzero(~np.isfinite(table).all(axis=1)).tolist() == [1]
    x[257, 1] = 1.0
    w = np.ones(260)
    w[5] = bad
    for single in (False, True):
        assert not np.isfinite(kernel.dense_gram((x,), None, None, w, single, **use)).any()


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize(("p", "n"), [(255, 128), (256, 128), (257, 47), (264, 48), (272, 65), (273, 300)])
def test_a_gram_by_whole_numbers_misses_little_of_the_largest_terms(p, n, name):
    rng = np.random.default_rng(p)
    x, w = rng.normal(size=(n, p)) * np.exp(rng.normal(size=p) * 9), rng.exponential(size=n)
    x[:, 3], x[:, 7], x[::2, 9], w[4] = 0.0, 1.0, -(2.0**60), 0.0
    for weights in (w, None, 1e-200 * w):
        z = x if weights is None else x * np.sqrt(weights)[:, None]
        got = kernel.dense_gram((x,), None, None, weights, whole=True, instruction_set=name)
        largest = np.abs(z).max(axis=0)
        largest[3] = 1.0
        exact = (z / largest).T @ (z / largest)
        close(got / largest / largest[:, None], exact, np.array(float(n)))
        assert_array_equal(got, got.T)


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("fault", ["negative", "nan weight", "nan", "inf", "far", "near"])
def test_tiles_that_are_no_sums_of_whole_numbers_are_summed_in_doubles(fault, name):
    rng = np.random.default_rng(4)
    x, w = rng.normal(size=(100, 260)), rng.exponential(size=100)
    if "weight" in fault or fault == "negative":
        w[17] = np.nan if "nan" in fault else -1.0
    else:
        x[17, 5] = {"nan": np.nan, "inf": np.inf, "far": 1e140, "near": 0.0}[fault]
    if fault == "near":
        x[:, 5] *= 1e-140
    use = {"instruction_set": name}
    exact = kernel.dense_gram((x,), None, None, w, **use)
    assert_array_equal(kernel.dense_gram((x,), None, None, w, whole=True, **use), exact)


@pytest.mark.parametrize("name", SETS)
def test_a_coarse_gram_of_many_rows_has_three_digits(name):
    rng = np.random.default_rng(8)
    x, w = rng.normal(size=(5000, 70)), rng.uniform(0.5, 1.0, 5000)
    got = kernel.dense_gram((x,), None, None, w, coarse=True, instruction_set=name)
    exact = x.T @ (x * w[:, None])
    assert_allclose(got, exact, rtol=0, atol=4e-4 * exact.max())


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("size", [1e-300, 1e-60, 1e60, 1e300])
def test_weights_beyond_the_range_of_float32_do_no_harm_there(size, name):
    rng = np.random.default_rng(9)
    x, w = rng.normal(size=(600, 70)), rng.uniform(0.5, 1.0, 600)
    got = kernel.dense_gram((x,), None, None, size * w, single=True, instruction_set=name)
    assert_allclose(got / size, x.T @ (x * w[:, None]), rtol=0, atol=single_unit(name) * 600)


@pytest.mark.parametrize("name", SETS)
def test_weights_that_change_by_orders_of_magnitude_from_tile_to_tile_keep_their_digits(name):
    rng = np.random.default_rng(12)
    x = rng.normal(size=(3000, 60))
    for w in (np.exp(rng.normal(size=3000) * 3 - 300), np.repeat([1e-200, 1e-9, -1.0, 1e9, -1e150], 600)):
        got = kernel.dense_gram((x,), None, None, w, single=True, instruction_set=name)
        size = np.abs(x).T @ (np.abs(x) * np.abs(w)[:, None])
        close(got, x.T @ (x * w[:, None]), size, unit=single_unit(name))


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_columns_far_from_one_keep_their_digits_in_a_gram_for_a_step(scale, name):
    x = scale * np.random.default_rng(13).normal(size=(500, 60))
    got = kernel.dense_gram((x,), None, None, None, single=True, instruction_set=name)
    close(got, x.T @ x, np.abs(x).T @ np.abs(x), unit=single_unit(name))


@pytest.mark.parametrize("name", SETS)
def test_float32_loses_no_more_over_many_tiles_than_over_one(name):
    x = np.random.default_rng(10).normal(size=(256 * 200, 50)) + 3.0
    got = kernel.dense_gram((x,), None, None, None, single=True, instruction_set=name)
    assert_allclose(got, x.T @ x, rtol=1e-5 if name == "amx" else 3e-7)


@pytest.mark.parametrize("name", SETS)
def test_two_blocks_of_different_widths(name):
    rng = np.random.default_rng(11)
    for pa, pb in ((1, 30), (30, 1), (9, 17), (24, 8), (0, 5), (5, 0)):
        a, b, w = rng.normal(size=(300, pa)), rng.normal(size=(300, pb)), rng.normal(size=300)
        m, use = rng.normal(size=(pa, pb)), {"instruction_set": name}
        both = ((a,), None, None, (b,), None, None)
        assert_allclose(kernel.dense_cross(*both, w, **use), a.T @ (b * w[:, None]), atol=1e-11)
        assert_allclose(kernel.dense_cross(*both, w, single=True, **use), a.T @ (b * w[:, None]), atol=1e-3)
        assert_allclose(kernel.dense_bilinear(*both, m, **use), np.einsum("ij,ij->i", a @ m, b), atol=1e-11)


def test_the_same_numbers_give_the_same_bits_in_every_layout():
    rng = np.random.default_rng(12)
    x, w = rng.normal(size=(700, 19)), rng.normal(size=700)
    shift, scale = rng.normal(size=19), rng.uniform(0.5, 2.0, 19)
    first = kernel.dense_gram((x,), shift, scale, w)
    for columns in ((np.asfortranarray(x),), tuple(x.T.copy()), (x[:, :5], x[:, 5:])):
        assert_array_equal(kernel.dense_gram(columns, shift, scale, w), first)


@pytest.mark.skipif(not hasattr(mmap, "MADV_NOHUGEPAGE"), reason="empty pages cannot be had for nothing")
def test_rows_far_apart_are_found():
    # 2.4 GB of addresses, of which only the small pages that are written to exist.
    memory = mmap.mmap(-1, 300 * 8_000_000, flags=mmap.MAP_PRIVATE)
    memory.madvise(mmap.MADV_NOHUGEPAGE)
    x = np.random.default_rng(15).normal(size=(300, 9))
    far = np.frombuffer(memory).reshape(300, 1_000_000)[:, :9]
    far[...] = x
    for name in SETS:
        for columns in ((far,), (far[::-1],), tuple(far.T)):
            got = kernel.dense_gram(columns, None, None, None, instruction_set=name)
            assert_allclose(got, x.T @ x, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("name", SETS)
def test_threads_do_not_disturb_one_another(name):
    rng = np.random.default_rng(14)
    tables = [(rng.normal(size=(1500, 70)), rng.normal(size=1500)) for _ in range(8)]

    def gram(table: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        x, w = table
        return kernel.dense_gram((x,), None, None, w, single=True, instruction_set=name)

    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(gram, tables))
    for one, other in zip(map(gram, tables), together, strict=True):
        assert_array_equal(one, other)


def test_the_environment_chooses_the_instruction_set():
    for name in SETS:
        code = "from etamu._base.kernel import kernel; print(kernel.instruction_set())"
        environment = {**os.environ, "ETAMU_ISA": name}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == name


X = np.ones((4, 2))
FOREIGN = X.astype(">f8" if np.little_endian else "<f8")
FAULTS = {
    "beta": (lambda: kernel.dense_matvec((X,), None, None, np.ones(3)), ValueError, "beta has 3 .* 2"),
    "v": (lambda: kernel.dense_rmatvec((X,), None, None, np.ones(5)), ValueError, "v has 5 .* 4"),
    "w": (lambda: kernel.dense_gram((X,), None, None, np.ones(5)), ValueError, "w has 5"),
    "shift": (lambda: kernel.dense_gram((X,), np.ones(1), None, None), ValueError, "shift has 1"),
    "scale": (lambda: kernel.dense_gram((X,), None, np.ones(1), None), ValueError, "scale has 1"),
    "matrix": (
        lambda: kernel.dense_quadratic((X,), None, None, np.ones((2, 3))),
        ValueError,
        "second axis",
    ),
    "rows": (lambda: kernel.dense_gram((X, X[:3]), None, None, None), ValueError, "array 1 .* 3 rows"),
    "two blocks": (
        lambda: kernel.dense_cross((X,), None, None, (X[:3],), None, None, None),
        ValueError,
        "second block has 3",
    ),
    "dimensions": (lambda: kernel.dense_gram((X[None],), None, None, None), ValueError, "1 or 2 dimensions"),
    "byte order": (lambda: kernel.dense_gram((FOREIGN,), None, None, None), TypeError, "not supported"),
    "complex": (lambda: kernel.dense_gram((X * 1j,), None, None, None), TypeError, "not supported"),
    "no arrays": (lambda: kernel.dense_gram((1.0,), None, None, None), TypeError, "bytes-like"),
    "no tuple": (lambda: kernel.dense_gram(1.0, None, None, None), TypeError, "tuple of arrays"),
    "instruction set": (
        lambda: kernel.dense_gram((X,), None, None, None, instruction_set="abacus"),
        ValueError,
        "abacus",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_an_error_in_words(fault):
    call, kind, words = FAULTS[fault]
    with pytest.raises(kind, match=words):
        call()


def test_a_block_uses_the_kernel_where_it_can(monkeypatch):
    used = []

    class Spy:
        def __getattr__(self, name):
            used.append(name)
            return getattr(kernel, name)

    monkeypatch.setattr(blocks, "kernel", Spy())
    x = np.random.default_rng(13).normal(size=(9, 3))
    plain, foreign = Dense((x,)), Dense((x.astype(np.float16),))
    for one in (plain, foreign):
        one.matvec(np.ones(3)), one.rmatvec(np.ones(9)), one.gram(np.ones(9)), one.quadratic(np.eye(3))
    assert used == ["dense_matvec", "dense_rmatvec", "dense_gram", "dense_quadratic"]
    assert_allclose(foreign.gram(np.ones(9)), plain.gram(np.ones(9)), rtol=0, atol=0.02)


def test_the_verbs_of_a_block_are_those_of_its_twin(monkeypatch):
    rng = np.random.default_rng(14)
    x, w, beta, m = (
        rng.normal(size=(300, 4)),
        rng.normal(size=300),
        rng.normal(size=4),
        rng.normal(size=(4, 4)),
    )

    def answers():
        a, b = Dense((x,), np.ones(4), np.full(4, 3.0)), Dense((x[:, 1:].astype(">f4"), x[:, 2]))
        both = [a.matvec(beta), a.rmatvec(w), a.gram(w), a.quadratic(m + m.T)]
        return [*both, cross(a, a, w), bilinear(a, a, m), cross(a, b, w), bilinear(a, b, m)]

    compiled = answers()
    monkeypatch.setattr(blocks, "kernel", None)
    for got, expected in zip(compiled, answers(), strict=True):
        assert_allclose(got, expected, rtol=1e-12, atol=1e-11)
