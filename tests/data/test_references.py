"""The columns of every reference model are R's, under formulaic's names; see tests/references/README.md."""

from __future__ import annotations

import csv
import functools
import gzip
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from etamu.data.encode import encode, missing_rows, response
from etamu.data.formula import parse
from etamu.data.frame import Frame, read
from etamu.data.schema import settle

REFERENCES = Path(__file__).parents[1] / "references"
CASES = [
    case
    for path in sorted((REFERENCES / "cases").glob("*.json"))
    if (case := json.loads(path.read_text(encoding="utf-8")))["kind"] == "glm"
]


@functools.cache
def frame(name: str) -> Frame:
    """Read a data set, factors in R's order of levels."""
    kinds = json.loads((REFERENCES / "data" / f"{name}.levels.json").read_text(encoding="utf-8"))["columns"]
    path = next((REFERENCES / "data").glob(f"{name}.csv*"))
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode("utf-8")
    rows = list(csv.DictReader(io.StringIO(text)))
    columns: dict[str, Any] = {}
    for column, kind in kinds.items():
        values = [row[column] or None for row in rows]
        if kind["type"] == "factor":
            columns[column] = pd.Series(pd.Categorical(values, categories=kind["levels"]))
        elif kind["type"] in {"integer", "double"}:
            columns[column] = np.array([np.nan if value is None else float(value) for value in values])
        else:
            columns[column] = values
    return read(columns)


def in_use(case: dict[str, Any], text: str) -> tuple[Frame, np.ndarray]:
    """Leave out the rows R leaves out."""
    data = frame(case["data"])
    missing = list(missing_rows(parse(text, data.names), data).values())
    if case["weights"] in data.names:
        missing.append(data.column(case["weights"]).missing)
    keep = np.ones(len(data), dtype=bool)
    for absent in missing:
        keep &= True if absent is None else ~absent
    return data, keep


def ordered(case: dict[str, Any]) -> bool:
    kinds = json.loads((REFERENCES / "data" / f"{case['data']}.levels.json").read_text(encoding="utf-8"))[
        "columns"
    ]
    return any(kind.get("ordered") for kind in kinds.values())


def spellings(case: dict[str, Any]) -> list[str]:
    """R's formula, unless R's contrasts are not treatment; and formulaic's."""
    texts = [] if case["contrasts"] or ordered(case) else [case["formula"]]
    if case["formulaic_rhs"]:
        texts.append(case["formula"].split("~")[0] + "~" + case["formulaic_rhs"])
    return texts


QUESTIONS = [
    pytest.param(case, text, id=f"{case['id']}-{text[:40]}") for case in CASES for text in spellings(case)
]


@pytest.mark.parametrize(("case", "text"), QUESTIONS)
def test_columns_are_rs(case: dict[str, Any], text: str) -> None:
    data, keep = in_use(case, text)
    schema = settle(parse(text, data.names), data, keep)
    encoded = encode(schema, data, keep)
    columns = encoded.layout.gather(encoded.design.dense().T).T
    expected = case["expected"]["design"]
    # R's sums are of a poly() basis made by a QR decomposition, good to 1e-14 of the column's size.
    size = np.sqrt(np.array(expected["col_sum_sq"], dtype=float))
    total = np.array(expected["col_sums"], dtype=float)
    assert (abs(columns.sum(axis=0) - total) <= 1e-11 * (abs(total) + size * np.sqrt(len(columns)))).all()
    np.testing.assert_allclose(np.sqrt((columns**2).sum(axis=0)), size, rtol=1e-11)
    first = np.array(expected["first_rows"], dtype=float)
    np.testing.assert_allclose(columns[: len(first)], first, rtol=1e-11, atol=1e-12)
    assert len(response(parse(text, data.names), data, keep)[0]) == keep.sum()


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case["id"]) for case in CASES if case["formulaic_rhs"]]
)
def test_names_are_formulaics(case: dict[str, Any]) -> None:
    text = "~" + case["formulaic_rhs"]
    data, keep = in_use(case, case["formula"])
    names = settle(parse(text, data.names), data, keep).names
    mapped = [case["formulaic"]["coef_map"].get(name) for name in case["expected"]["design"]["colnames"]]
    assert len(names) == len(mapped)
    assert all(theirs in {None, ours} for ours, theirs in zip(names, mapped, strict=True)), (names, mapped)
