"""Matrices are looked at, never changed: shapes, kinds of numbers, what is missing, what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import sparse

from etamu._base.errors import DataError
from etamu.data.matrix import BLOCK, read_like, read_matrix

X = np.array([[1.0, 0.0, 3.0], [0.0, 0.0, 5.0], [2.0, 7.0, 0.0], [4.0, 1.0, 2.0]])
FORMATS = ["csr", "csc", "coo", "lil", "dok", "bsr", "dia"]


def broken(part: str, place: int, value: int) -> Any:
    data = sparse.csr_array(X)
    getattr(data, part)[place] = value
    return data


def written(encoded: Any) -> np.ndarray:
    return encoded.layout.gather(encoded.design.dense().T).T


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("kind", ["array", "matrix"])
def test_every_sparse_format_is_the_same_matrix(format_: str, kind: str) -> None:
    data = getattr(sparse, f"csr_{kind}")(X).asformat(format_)
    assert np.array_equal(written(read_matrix(data).encode(None, intercept=False)), X)


def test_ones_come_first_and_rows_in_use_alone() -> None:
    keep = np.array([True, False, True, True])
    expected = np.column_stack([np.ones(3), X[keep]])
    for data in (X, sparse.csr_array(X)):
        encoded = read_matrix(data).encode(keep, intercept=True)
        assert np.array_equal(written(encoded), expected)
        assert encoded.layout.names == ("Intercept", "x0", "x1", "x2")


def test_a_dense_matrix_is_not_copied() -> None:
    block = read_matrix(X).encode(np.ones(4, dtype=bool), intercept=True).design.blocks[0]
    assert np.shares_memory(block.columns[1], X)
    assert block.columns[0].strides == (0,)


def test_a_sparse_matrix_stays_sparse_and_as_it_was() -> None:
    # The entry (0, 0) is stated twice and columns are out of order: the sum counts, the original stays.
    parts = np.array([1.0, 3.0, 2.0]), np.array([2, 0, 0]), np.array([0, 3])
    data = sparse.csr_array(parts, shape=(1, 3))
    matrix = read_matrix(data)
    assert np.array_equal(matrix.values.toarray(), [[5.0, 0.0, 1.0]])
    assert data.nnz == 3
    assert data.indices.tolist() == [2, 0, 0]


def test_small_integers_do_not_overflow() -> None:
    data = sparse.csr_array(np.array([[100], [100], [0]], dtype=np.int8))
    moments = read_matrix(data).encode(None, intercept=False).design.blocks[0].moments()
    assert moments.scatter[0] == pytest.approx(20_000 / 3)


@pytest.mark.parametrize("make", [np.array, sparse.csr_array, sparse.coo_matrix], ids=["dense", "csr", "coo"])
def test_missing_values_are_found_by_column(make: Any) -> None:
    holed = X.copy()
    holed[1, 0] = holed[3, 0] = holed[2, 1] = np.nan
    missing = read_matrix(make(holed)).missing()
    assert {name: np.flatnonzero(mask).tolist() for name, mask in missing.items()} == {
        "x0": [1, 3],
        "x1": [2],
    }


@pytest.mark.parametrize("make", [np.array, sparse.csr_array, sparse.csc_matrix], ids=["dense", "csr", "csc"])
def test_an_infinite_value_is_named(make: Any) -> None:
    odd = X.copy()
    odd[1, 0], odd[2, 1] = np.nan, -np.inf
    with pytest.raises(DataError, match="column 'x1' is -inf in row 2"):
        read_matrix(make(odd))


def test_whole_numbers_that_doubles_would_move_are_refused() -> None:
    with pytest.raises(DataError, match=f"'x1' holds whole numbers too large .*: row 1 holds {2**62 + 1}"):
        read_matrix(np.array([[0, 2**62], [1, 2**62 + 1]]))


@pytest.mark.skipif(np.finfo(np.longdouble).maxexp <= 1024, reason="no extended precision here")
def test_a_number_beyond_double_precision_is_infinite() -> None:
    with pytest.raises(DataError, match="column 'x0' is inf in row 1"):
        read_matrix(np.array([[1.0], [2.0]], dtype=np.longdouble) * np.longdouble("1e308"))


def test_rows_beyond_the_first_block_are_looked_at() -> None:
    tall = np.zeros((BLOCK + 3, 1))
    tall[-1] = np.inf
    with pytest.raises(DataError, match=f"row {BLOCK + 2}"):
        read_matrix(tall)


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_new_rows_may_be_none_and_then_so_is_what_is_predicted(form: Any) -> None:
    assert len(read_like(form(X[:0]), ("a", "b", "c"))) == 0


def test_new_rows_have_the_columns_of_the_old() -> None:
    assert read_like(X, ("a", "b", "c")).names == ("a", "b", "c")
    with pytest.raises(DataError, match="X has 3 columns and the model was fitted to 2: a, b"):
        read_like(X, ("a", "b"))


REFUSALS: dict[str, tuple[Any, str]] = {
    "one dimension": (X[0], r"one dimension, shape \(3,\).*reshape\(-1, 1\)"),
    "three dimensions": (X[None], "3 dimensions"),
    "a number": (3.0, "of type float"),
    "nothing": (None, "of type NoneType"),
    "no rows": (X[:0], r"no rows, shape \(0, 3\)"),
    "sparse without rows": (sparse.csr_array((0, 3)), "no rows"),
    "sparse of one dimension": (sparse.coo_array(X[0]), "one dimension"),
    "ragged": ([[1.0], [1.0, 2.0]], "one length"),
    "objects": (X.astype(object), "dtype object.*astype"),
    "text": (X.astype(str), "give a table"),
    "complex": (X.astype(complex), "complex128.*real and imaginary"),
    "sparse and complex": (sparse.csr_array(X.astype(complex)), "complex128"),
    "times": (X.astype("datetime64[s]"), "days"),
    "structured": (np.rec.fromarrays([X[0], X[0]], names="a,b"), "fields a, b; give a table"),
    "an index beyond the columns": (broken("indices", 0, 77), "contradict each other: .*coo_array"),
    "an index before the columns": (broken("indices", 0, -1), "contradict each other"),
    "rows that end beyond the values": (broken("indptr", 1, 100), "contradict each other"),
    "rows that end before they begin": (broken("indptr", 2, 0), "contradict each other"),
    "masked": (np.ma.masked_less(X, 1.0), "masked.*filled"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_is_no_matrix_of_numbers_is_refused(case: str) -> None:
    data, message = REFUSALS[case]
    with pytest.raises(DataError, match=message):
        read_matrix(data)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["a", "b"], "names has 2 entries and X 3 columns"),
        (["a", "b", "a"], "same name, 'a'"),
        (["a", "b", "Intercept"], "'Intercept' is the name"),
    ],
)
def test_names_are_one_per_column_and_told_apart(names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_matrix(X, names)
