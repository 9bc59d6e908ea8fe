"""Contrasts: what each coefficient estimates, against the inverse of the coding and formulas of the books."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from etamu._base.errors import DataError, FormulaError
from etamu.data.contrasts import Contrast, settle_contrast
from etamu.data.expression import Flag, parse_expression
from etamu.data.functions import canonical

LABELS = ("a", "b", "c", "d", "e")


def settled(asked: str | None, labels: Any = LABELS, numbers: Any = None, exposed: Any = None) -> Contrast:
    expression = None if asked is None else parse_expression(asked, canonical).expression
    return settle_contrast(expression, tuple(labels), numbers, "f", exposed)


def estimated(contrast: Contrast, n: int = 5) -> np.ndarray:
    """Say what intercept and coefficients are of the means of the levels: the inverse of the coding."""
    return np.linalg.inv(np.column_stack([np.ones(n), contrast.rows(n, reduced=True)]))


def test_treatment_compares_with_the_base() -> None:
    for asked, base in ((None, 0), ("contr.treatment", 0), ("contr.treatment('c')", 2), ("contr.SAS", 4)):
        contrast = settled(asked)
        others = [level for level in range(5) if level != base]
        np.testing.assert_allclose(estimated(contrast)[0], np.eye(5)[base], atol=1e-14)
        np.testing.assert_allclose(estimated(contrast)[1:], np.eye(5)[others] - np.eye(5)[base], atol=1e-14)
        assert contrast.fields == tuple(LABELS[level] for level in others)
        assert (contrast.base, contrast.prefix) == (base, "T.")


def test_sum_compares_with_the_mean_of_all_levels() -> None:
    contrast = settled("contr.sum")
    np.testing.assert_allclose(estimated(contrast)[0], 0.2, atol=1e-14)
    np.testing.assert_allclose(estimated(contrast)[1:], np.eye(5)[:4] - 0.2, atol=1e-14)
    assert contrast.fields == LABELS[:4]


@pytest.mark.parametrize("backward", [True, False])
def test_diff_compares_neighbours(backward) -> None:
    contrast = settled(f"contr.diff(backward={backward})")
    steps = np.eye(5)[1:] - np.eye(5)[:-1]
    np.testing.assert_allclose(estimated(contrast)[1:], steps if backward else -steps, atol=1e-14)
    np.testing.assert_allclose(estimated(contrast)[0], 0.2, atol=1e-14)
    assert contrast.fields == (LABELS[1:] if backward else LABELS[:-1])


def test_helmert_compares_with_the_mean_of_earlier_levels() -> None:
    scaled = settled("contr.helmert(scale=True)")
    for level in range(1, 5):
        expected = np.eye(5)[level] - np.r_[np.full(level, 1 / level), np.zeros(5 - level)]
        np.testing.assert_allclose(estimated(scaled)[level], expected, atol=1e-14)
    plain = settled("contr.helmert")
    np.testing.assert_allclose(plain.rows(3 + 2, reduced=True)[:, 1], [-1, -1, 2, 0, 0])
    assert plain.fields == scaled.fields == LABELS[1:]


def test_helmert_forward_is_backward_with_the_levels_turned_round() -> None:
    for scale in (True, False):
        forward = settled(f"contr.helmert(reverse=False, scale={scale})")
        turned = settled(f"contr.helmert(scale={scale})", LABELS[::-1])
        np.testing.assert_allclose(forward.rows(5, reduced=True)[::-1, ::-1], turned.rows(5, reduced=True))
        assert forward.fields == turned.fields[::-1]


def test_poly_is_orthonormal_and_of_rising_degree_in_the_scores() -> None:
    for asked, scores in (
        ("contr.poly", np.arange(5.0)),
        ("contr.poly([1, 2, 4, 8, 16])", 2.0 ** np.arange(5)),
    ):
        contrast = settled(asked)
        matrix = contrast.rows(5, reduced=True)
        np.testing.assert_allclose(matrix.T @ matrix, np.eye(4), atol=1e-12)
        np.testing.assert_allclose(matrix.sum(axis=0), 0.0, atol=1e-12)
        powers = np.vander(scores, 4, increasing=True)
        for degree in range(1, 5):
            np.testing.assert_allclose(powers[:, :degree].T @ matrix[:, degree - 1], 0.0, atol=1e-8)
            assert scores**degree @ matrix[:, degree - 1] > 0
        assert contrast.fields == (".L", ".Q", ".C", "^4")


def test_custom_contrasts_are_columns_by_name_or_rows_of_a_matrix() -> None:
    named = settled("{'low': [1, 0, -1], 'odd': [1, -2, 1]}", "abc")
    rows = settled("contr.custom([[1, 1], [0, -2], [-1, 1]], names=['low', 'odd'])", "abc")
    assert named == rows
    assert named.fields == ("low", "odd")
    assert settled("[[1], [0], [-1]]", "abc").fields == ("1",)
    for reduced in (True, False):  # a matrix of one's own is used where others give way to indicators
        np.testing.assert_array_equal(named.rows(3, reduced=reduced), [[1, 1], [0, -2], [-1, 1]])
        assert named.selects(reduced=reduced) is None


def test_in_full_coding_there_is_one_column_for_each_level() -> None:
    for asked in (None, "contr.sum", "contr.poly", "contr.SAS"):
        contrast = settled(asked)
        np.testing.assert_array_equal(contrast.rows(5, reduced=False), np.eye(5))
        assert contrast.selects(reduced=False) is True
        assert contrast.selected(5, reduced=False) == [0, 1, 2, 3, 4]
    assert settled("contr.SAS").selected(5, reduced=True) == [0, 1, 2, 3]
    assert settled("contr.sum").selects(reduced=True) is None


def test_a_base_is_found_as_text_as_number_and_by_exposure() -> None:
    years = ("9.0", "10.0", "11.5")
    numbers = (9.0, 10.0, 11.5)
    for asked in ("contr.treatment(10)", "contr.treatment(base=10.0)", "Treatment('10.0')"):
        assert settled(asked, years, numbers).base == 1
    assert settled("contr.treatment(reference='most_exposed')", years, numbers, exposed=2).base == 2
    with pytest.raises(DataError, match=r"f: 'most_exposed' is not a level; the levels in use are 9.0"):
        settled("contr.treatment('most_exposed')", years, numbers)
    with pytest.raises(DataError, match="f: 10 is not a level"):
        settled("contr.treatment(10)", years)  # as text, 10 reads otherwise than 10.0


def test_words_for_the_same_contrast_are_the_same() -> None:
    for words in (
        ("contr.sum", "Sum", "'sum'", "sum", "contr.sum()"),
        ("contr.helmert", "Helmert", "'helmert'"),
    ):
        assert len({settled(word) for word in words}) == 1
    assert settle_contrast(Flag(None), LABELS, None, "f") == settled(None)


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ("contr.odd", FormulaError, "f: 'contr.odd' is not a contrast; there are contr.treatment, contr.SAS"),
        ("log(1)", FormulaError, "f: 'log' is not a contrast"),
        ("True", FormulaError, "is not a contrast"),
        ("contr.sum(2)", FormulaError, r"f: contr.sum\(2\) has an argument that contr.sum does not take"),
        ("contr.treatment(by='a')", FormulaError, "an argument that contr.treatment does not take"),
        ("contr.treatment(base=x)", FormulaError, "x must be written out as numbers or text"),
        ("contr.treatment('z')", DataError, "f: 'z' is not a level; the levels in use are a, b, c, d, e"),
        ("contr.poly([1, 2])", DataError, "f: contr.poly has 2 scores and the factor 5 levels in use"),
        ("contr.poly([1, 1, 2, 3, 4])", DataError, "f: contr.poly: .* x has 4 distinct values"),
        ("[1, 2, 3, 4, 5]", DataError, r"has shape \(5,\) and needs one row for each of the 5 levels in use"),
        ("[[1], [2]]", DataError, r"has shape \(2, 1\) and needs one row"),
        ("[[1], [2], [3, 4], [5], [6]]", FormulaError, "must be rows of numbers of one length"),
        ("[['a'], [2], [3], [5], [6]]", FormulaError, "must be rows of numbers of one length"),
        ("[[1e999], [2], [3], [5], [6]]", DataError, "holds a number that is not finite"),
        ("contr.custom([[1], [2], [3], [5], [6]], ['p', 'q'])", FormulaError, "f: 2 names for 1 contrasts"),
    ],
    ids=[
        *(["unknown", "function", "flag", "positional", "keyword", "name", "level", "scores"]),
        *(["ties", "row", "short", "ragged", "text", "inf", "names"]),
    ],
)
def test_what_is_no_contrast_of_these_levels_is_refused(asked, error, words) -> None:
    with pytest.raises(error, match=words):
        settled(asked)
