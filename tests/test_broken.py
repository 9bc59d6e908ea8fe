"""Broken input is refused by name at every door: column, row, value and remedy, whatever holds the data."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import etamu as em
from etamu import cli
from etamu.estimator import GLMRegressor

COLUMNS: dict[str, list[Any]] = {
    "y": [1.0, 2.0, 3.0, 2.0, 5.0, 4.0, 2.0, 1.0],
    "x": [0.1, 0.4, 0.9, 0.3, 1.4, 1.2, 0.5, 0.2],
    "g": ["u", "v", "w", "u", "v", "w", "u", "v"],
    "k": [1.0, 2.0, 1.0, 3.0, 1.0, 2.0, 1.0, 1.0],
}


@dataclass(frozen=True)
class Broken:
    """What is broken, how the model is asked for, and what the error must name."""

    family: str
    column: str
    row: int | None
    value: Any
    says: tuple[str, ...]
    keywords: dict[str, str] = field(default_factory=dict)
    every: bool = False
    """Whether the whole column holds the value."""
    error: type[Exception] = em.DataError

    @property
    def columns(self) -> dict[str, list[Any]]:
        values = [self.value] * 8 if self.every else list(COLUMNS[self.column])
        if self.row is not None and not self.every:
            values[self.row] = self.value
        return COLUMNS | {self.column: values}

    @property
    def named(self) -> tuple[str, ...]:
        """Row and value, as the message writes them."""
        row = () if self.row is None else (f"row {self.row}",)
        value = () if self.row is None or not isinstance(self.value, float) else (f"{self.value:g}",)
        return (*row, *value, *self.says)


def weight(kind: str) -> dict[str, str]:
    return {f"{kind}_weights": "k"}


BROKEN = {
    "a negative count": Broken("poisson", "y", 3, -2.0, ("choose a family",)),
    "half a count": Broken("poisson", "y", 2, 1.5, ("quasipoisson",)),
    "a negative count of a negative binomial": Broken(
        "negative_binomial(2)", "y", 3, -1.0, ("choose a family",)
    ),
    "a negative mean of counts": Broken("quasipoisson", "y", 3, -1.0, ("choose a family",)),
    "a zero of a gamma": Broken("gamma", "y", 4, 0.0, ("tweedie",)),
    "a negative gamma": Broken("gamma", "y", 4, -1.0, ("choose a family",)),
    "a zero of an inverse Gaussian": Broken("inverse_gaussian", "y", 0, 0.0, ("tweedie",)),
    "a negative Tweedie": Broken("tweedie(1.5)", "y", 7, -0.5, ("choose a family",)),
    "a two among zeros and ones": Broken("bernoulli", "y", 1, 2.0, ("correct the row",)),
    "a proportion above one": Broken("quasibinomial", "y", 1, 2.0, ("correct the row",)),
    "more successes than trials": Broken("binomial", "y", 1, 9.0, ("which has 2 trials",), {"trials": "k"}),
    "half a trial": Broken("binomial", "k", 5, 2.5, ("whole numbers",), {"trials": "k"}),
    "an infinite response": Broken("gaussian", "y", 6, np.inf, ("correct",)),
    "an infinite covariate": Broken("gaussian", "x", 6, -np.inf, ("correct",)),
    "a covariate without values": Broken("gaussian", "x", None, np.nan, ("every row",), every=True),
    "an infinite offset": Broken(
        "gaussian", "k", 2, np.inf, ("finite", "correct or remove"), {"offset": "k"}
    ),
    "an exposure of zero": Broken("poisson", "k", 2, 0.0, ("positive", "drop the row"), {"exposure": "k"}),
    "a negative exposure": Broken("poisson", "k", 2, -1.0, ("positive", "drop the row"), {"exposure": "k"}),
    "a negative weight": Broken("gaussian", "k", 2, -1.0, ("negative", "drop the row"), weight("variance")),
    "an infinite weight": Broken("gaussian", "k", 2, np.inf, ("finite", "correct"), weight("variance")),
    "half a row": Broken("gaussian", "k", 2, 0.5, ("whole", "variance_weights"), weight("frequency")),
    "a negative survey weight": Broken("gaussian", "k", 2, -3.0, ("negative", "drop"), weight("sampling")),
    "no weight at all": Broken(
        "gaussian", "k", None, 0.0, ("zero in every row",), weight("variance"), every=True
    ),
}
WORDS = {
    "a word as a response": Broken("gaussian", "y", 0, "many", ("'y'", "text", "'many'"), every=True),
    "three outcomes of a trial": Broken("bernoulli", "y", None, None, ("3 levels", "multinomial")),
    "a factor of one level": Broken(
        "gaussian", "g", None, "same", ("fewer than two levels", "'same'"), every=True
    ),
    "a word as an offset": Broken(
        "gaussian", "k", 0, "far", ("offset", "convert"), {"offset": "k"}, every=True
    ),
    "a column that is not there": Broken(
        "gaussian", "g", None, "u", ("'k2'", "'k'"), {"offset": "k2"}, error=em.FormulaError
    ),
}


def columns(broken: Broken) -> dict[str, list[Any]]:
    if broken.family == "bernoulli" and broken.row is None:
        return broken.columns | {"y": COLUMNS["g"]}
    return broken.columns


TABLES: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "dict": dict,
    "pandas": pd.DataFrame,
    "polars": lambda values: pl.DataFrame(values, strict=False),
    "pyarrow": pa.table,
}


@pytest.mark.parametrize("library", TABLES)
@pytest.mark.parametrize("name", [*BROKEN, *WORDS])
def test_tables(name: str, library: str) -> None:
    broken = (BROKEN | WORDS)[name]
    data = TABLES[library](columns(broken))
    with pytest.raises(broken.error) as raised:
        em.glm("y ~ x + g", data, family=broken.family, **broken.keywords)
    for piece in broken.named:
        assert piece in str(raised.value)
    if name in BROKEN:
        assert broken.column in str(raised.value)


def written(broken: Broken, folder: Path, kind: str) -> Path:
    table = columns(broken)
    path = folder / f"data.{kind}"
    if kind == "parquet":
        pq.write_table(pa.table(table), path)
        return path
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        writer.writerows(zip(*table.values(), strict=True))
    return path


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("name", [*BROKEN, *WORDS])
def test_files_by_the_command_line(
    name: str, kind: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = (BROKEN | WORDS)[name]
    path = written(broken, tmp_path, kind)
    options = [
        part for key, column in broken.keywords.items() for part in (f"--{key.replace('_', '-')}", column)
    ]
    assert cli.main(["fit", str(path), "y ~ x + g", "--family", broken.family, *options]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "Traceback" not in said.err
    for piece in broken.named:
        assert (
            piece.replace("variance_weights", "variance") in said.err.replace("-", "_") or piece in said.err
        )


@pytest.mark.parametrize("name", BROKEN)
def test_arrays(name: str) -> None:
    broken = BROKEN[name]
    table = {key: np.array(values) for key, values in broken.columns.items()}
    keywords = {key: table[column] for key, column in broken.keywords.items()}
    with pytest.raises(em.DataError) as raised:
        em.GLM(family=broken.family).fit(table["x"][:, None], table["y"], **keywords)
    for piece in broken.named:
        assert piece in str(raised.value)


@pytest.mark.parametrize("name", [name for name, broken in BROKEN.items() if "trials" not in broken.keywords])
def test_the_estimator(name: str) -> None:
    """What scikit-learn refuses itself, NaN and infinity in X and y, it names in its own words."""
    broken = BROKEN[name]
    table = {key: np.array(values) for key, values in broken.columns.items()}
    keywords = {}
    kind = "variance"
    for key, column in broken.keywords.items():
        if key.endswith("_weights"):
            keywords["sample_weight"], kind = table[column], key.removesuffix("_weights")
        else:
            keywords[key] = table[column]
    model = GLMRegressor(family=broken.family, sample_weight_kind=kind)
    with pytest.raises(ValueError, match=r"\S") as raised:
        model.fit(table["x"][:, None], table["y"], **keywords)
    if isinstance(raised.value, em.EtamuError):
        for piece in broken.named:
            assert piece.replace("variance_weights", "") in str(raised.value)
    else:
        assert "contains" in str(raised.value)
        assert broken.column in {"x", "y"}


def test_new_data_are_held_to_the_same() -> None:
    fit = em.glm("y ~ x + g", COLUMNS, family="poisson", exposure="k")
    new = {name: values[:2] for name, values in COLUMNS.items()}
    for column, value, pieces in (
        ("g", "z", ("'g'", "'z'", "row 1", "unseen=")),
        ("x", np.inf, ("'x'", "inf", "row 1")),
        ("k", 0.0, ("exposure", "row 1", "positive")),
    ):
        broken = new | {column: [new[column][0], value]}
        with pytest.raises(em.DataError) as raised:
            fit.predict(broken)
        for piece in pieces:
            assert piece in str(raised.value)
