"""Models too wide for the memory are refused at once, by the term that makes them so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.fit import width

ROWS = 40
DATA: dict[str, Any] = {
    "y": np.arange(ROWS) % 3,
    "g": [f"l{i}" for i in range(ROWS)],
    "x": np.linspace(0.0, 1.0, ROWS),
}


@pytest.mark.parametrize(
    ("family", "options", "columns"),
    [
        ("poisson", {}, "40 columns"),
        ("poisson", {"method": "firth"}, "40 columns"),
        ("negative_binomial", {}, "40 columns"),
        ("multinomial", {}, "80 columns in 2 predictors"),
        ("cumulative", {}, "42 columns in 3 predictors"),
        ("zero_inflated_poisson", {}, "41 columns in 2 predictors"),
        ("gaussian", {"dispersion": "~ g"}, "80 columns in 2 predictors"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_factor_of_too_many_levels_is_named(monkeypatch, family, options, columns) -> None:
    monkeypatch.setattr(width, "WIDEST", 20)
    with pytest.raises(em.DataError, match=f"has {columns}, 39 of them from 'g'.*Merge rare levels of 'g'"):
        em.glm("y ~ g", DATA, family=family, **options)


def test_a_matrix_too_wide_has_no_term_to_blame(monkeypatch) -> None:
    monkeypatch.setattr(width, "WIDEST", 20)
    with pytest.raises(em.DataError, match=r"31 columns, no term of which has most; .* principal components"):
        em.GLM().fit(np.zeros((5, 30)), np.arange(5))


def test_classes_beyond_memory_are_refused() -> None:
    n = 1_001
    with pytest.raises(em.DataError, match="'g' has 1,001 classes, each with a predictor of its own"):
        em.glm("g ~ 1", {"g": [str(i) for i in range(n)]}, family="multinomial")


def test_hundreds_of_classes_are_fitted_row_by_row() -> None:
    from etamu.fit.problem import Options
    from etamu.vector.rows import BULK, visited

    for k in (2, 30, 361, 362, 363, 500, 999, 20_000):
        rows = visited(Options(), k)["rows"]
        assert rows >= 1
        assert rows == 1 or rows * k * k <= max(BULK, 1 << 17)


@pytest.mark.parametrize(("gigabytes", "columns"), [(1, 2886), (8, 8164), (1000, width.WIDEST)])
def test_a_small_machine_has_fewer_columns(monkeypatch, gigabytes: int, columns: int) -> None:
    monkeypatch.setattr(width, "_memory", lambda: gigabytes * 10**9)
    assert width.widest_here() == columns


def test_every_machine_has_memory_for_some_columns() -> None:
    assert 500 < width.widest_here() <= width.WIDEST
