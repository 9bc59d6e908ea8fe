"""Text that was hardly meant as categories is said, with the row and the value; labels are let be."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import etamu as em
from etamu.data.doubts import doubts
from etamu.data.formula import parse
from etamu.data.frame import read
from etamu.data.schema import settle

COUNTS = ["1", "2.5", "4", "1", "7e1", "4", "1"]


def said(values: object, formula: str = "~ x") -> tuple[str, ...]:
    frame = read({"x": values})
    return doubts(settle(parse(formula, frame.names), frame), frame)


DOUBTFUL = {
    "a stray word": ([*COUNTS, "oops", "1"], ("row 7 holds 'oops'", "correct it", "C(x)")),
    "a dot": ([".", *COUNTS], ("5 categories", "row 0 holds '.'")),
    "numbers": (COUNTS, ("'2.5' in row 1 reads as a number", "turn the text into numbers")),
    "thousands": (["1,000", "2,500", "950"], ("'1,000' in row 0 reads as a number", "1234.5")),
    "decimal commas": (["3", "2,5", "4,75"], ("'2,5' in row 1", "number")),
    "per cent": (["10%", "20 %", "35.5%"], ("'10%' in row 0",)),
    "money": (["$10", "$20", "$35.50"], ("'$10' in row 0",)),
    "dates": (["2020-01-01", "2020-02-01", "2020-03-01"], ("'2020-01-01' in row 0 reads as a date", "days")),
    "dates with dots": (["1.2.2020", "13.2.2020", "14.3.2020"], ("reads as a date",)),
    "blanks": (["b", "a", "a "], ("'a' and 'a '", "differ in blanks alone", "make them one")),
    "capitals": (["Male", "male", "Female"], ("'Male' and 'male'", "differ in capitals alone")),
    "accents": (["M\u00fcnchen", "Mu\u0308nchen", "Ulm"], ("differ in how accents", "make them one")),
    "base 16": ([*COUNTS, "0x10"], ("row 7 holds '0x10'", "correct it")),
    "O for 0": ([*COUNTS, "2O"], ("row 7 holds '2O'",)),
    "brackets": (["(5)", *COUNTS], ("row 0 holds '(5)'",)),
    "a footnote": ([*COUNTS, "5*"], ("row 7 holds '5*'",)),
    "typographer's signs": (["\u22121", "\u22122", "1", "2", "3"], ("row 0 holds '\u22121'",)),
    "a bound among numbers": ([*map(str, range(12)), "<5"], ("row 12 holds '<5'",)),
    "what others call missing": (["a", "nan", "b"], ("'nan' in row 1", "make it None")),
    "an empty text": (["a", "b", ""], ("'' in row 2", "make it None")),
}


@pytest.mark.parametrize("name", DOUBTFUL)
def test_text_that_was_meant_otherwise_is_named_by_row_value_and_remedy(name: str) -> None:
    values, pieces = DOUBTFUL[name]
    (sentence,) = said(values)
    for piece in ("column 'x'", *pieces):
        assert piece in sentence
    assert said(values, "~ C(x)") == ()
    assert said(pd.Series(values, dtype="category")) == ()


LABELS = {
    "words": ["a", "b", "c"],
    "numbers alone": ["01234", "99999", "55555"],
    "bands": ["18-25", "26-35", "36+"],
    "whole numbers": ["1", "2", "3", "-4"],
    "an open end": ["0", "1", "2", "3+"],
    "letters and numbers": [f"l{row}" for row in range(20)],
    "alleles": ["A", "a", "b"],
    "a word for none": ["None", "Some", "Marked"],
    "codes": ["A1", "12", "B7", "3"],
    "versions": ["1.2.3", "1.2.4", "2.0.0"],
    "two shares": ["10%", "20%", "10%"],
    "mostly a word": [*COUNTS, *["none"] * 9],
}


@pytest.mark.parametrize("name", LABELS)
def test_labels_are_let_be(name: str) -> None:
    assert said(LABELS[name]) == ()


def test_a_doubt_is_a_warning_and_a_note_of_the_fit() -> None:
    data = {"y": np.arange(9) % 4, "x": [*COUNTS, "oops", "1"], "z": np.arange(9.0)}
    with pytest.warns(em.EtamuWarning, match="row 7 holds 'oops'"):
        fit = em.glm("y ~ x + z", data)
    assert "row 7 holds 'oops'" in " ".join(str(fit.summary()).split())
    with pytest.warns(em.EtamuWarning, match="row 7 holds 'oops'"):
        em.GLM().fit({"x": data["x"], "z": data["z"]}, data["y"])
    many = {name: np.tile(values, 10) for name, values in data.items()}
    many["y"] = np.random.default_rng(1).normal(size=90)
    with pytest.warns(em.EtamuWarning, match="row 7 holds 'oops'"):
        em.glm("y ~ 1", many, dispersion="~ x")
