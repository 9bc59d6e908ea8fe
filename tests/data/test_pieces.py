"""Names, order and values of the columns are formulaic's."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from formulaic import model_matrix
from hypothesis import given, settings
from hypothesis import strategies as st

from etamu.data.encode import Encoded, encode
from etamu.data.formula import parse
from etamu.data.frame import read
from etamu.data.schema import settle

FORMULAS = """
1
0
x
x - 1
-1 + x
x + 0
a
a - 1
0 + a
0 + x + a
0 + a + b
0 + b:a
a:b - 1
a + b
a:b
a * b
a * b - a
a:b + a
a + a:b
b + a:b
a * b * c
a:b:c
0 + a:b:c
0 + a * b * c
a:x
0 + a:x
x:a
x + x:a
x * a
x:a:z
a:x:b
a * x * b
0 + a * x * b
a / b
a / x
a / (b + x * c)
(a + b) / c
(a + b + c)**2
(a + b + x)^2
(a + x + z)**3 - a:x:z
b %in% a
a:x + b:x
x:z
x * z * a
2:x
a + 2:x
I(x**2)
I(x ** 2):z
I( x+z )
I(x / 10):a
log(w)
np.log(w) * a
np.log1p(w) + np.sqrt(w) + np.exp(-x)
log2(w) + log10(w)
C(a)
C(a, contr.treatment)
C(a, contr.treatment(base="r"))
C(a, contr.treatment("r")) * x
C(a, contr.treatment('r')) - 1
C(a, contr.SAS)
C(a, contr.sum)
C(a, contr.sum) - 1
C(a, contr.sum) * C(b, contr.helmert)
C(a, contr.sum):x
0 + C(a, contr.sum):x
C(b, contr.helmert)
C(b, contr.helmert(scale=True))
C(b, contr.helmert(reverse=False))
C(b, contr.helmert(reverse=False, scale=True))
C(b, contr.poly)
C(e, contr.poly)
C(e, contr.poly(scores=[1, 2, 4, 8, 16])) + a
C(b, contr.diff)
C(b, contr.diff(backward=False))
C(a, contr.custom([[1, 0], [0, 1], [-1, -2]]))
C(a, contr.custom([[1, 0], [0, 1], [-1, -2]], names=["u", "v"])) * x
0 + C(a, contr.custom([[1, 0], [0, 1], [-1, -2]]))
C(a, [[1, 0], [0, 1], [-1, -2]])
C(a, {"low": [1, 0, -1], "high": [0, 1, -1]})
C(a, Treatment("r"))
C(a, Treatment(reference="r"))
C(a, Sum)
C(k)
C(k) * a
C(kf)
C(kf, contr.treatment(base=2.0))
C(I(k > 1))
C(x > 0)
poly(x, degree=2)
poly(x, 3) * a
poly(x, 1)
poly(x, 2, raw=True)
a:poly(x, 2)
poly(x, 2):a
poly(x, 2):poly(z, 2)
a:poly(x, 2):b
0 + a:poly(x, 2)
bs(x, df=5)
bs(x, df=4) * a
0 + bs(x, df=5, include_intercept=True)
bs(x, df=5, include_intercept=True)
bs(x, knots=[0.1, 0.4], degree=2)
center(x)
scale(x) * a
center(x):scale(z)
`odd name`
log(`odd name`) + a
I(`odd name` * 2)
dot.name + x
dot.name:a
{x + 1}
{x + z}:a
I(x > 0)
I(x > 0):a
np.abs(x) + np.minimum(x, z)
C(a, contr.sum):poly(x, 2)
poly(x, 2):C(a, contr.sum):C(b, contr.helmert)
C(a, contr.sum):poly(x, 2):C(b, contr.helmert)
C(a, contr.treatment("r")):b:x
s + s:a
k
k:a
x + z + w + a + b + c + d
(a + b + c + d)**2
C(d, contr.sum) * C(c, contr.sum)
.
. - s
""".strip().splitlines()


def table(n: int = 60, seed: int = 1) -> pd.DataFrame:
    """Make numbers of several dtypes and factors with every level, in no order."""
    rng = np.random.default_rng(seed)

    def levels(words: str) -> np.ndarray:
        return rng.permutation(np.resize(np.array(list(words)), n))

    return pd.DataFrame(
        {
            "x": rng.normal(size=n),
            "z": rng.uniform(1, 2, size=n),
            "w": rng.gamma(2.0, size=n),
            "k": rng.permutation(np.resize(np.arange(4), n)),
            "kf": rng.permutation(np.resize(np.arange(3.0), n)),
            "odd name": rng.uniform(1, 3, size=n),
            "dot.name": rng.normal(size=n),
            "s": levels("vut"),
            "a": pd.Categorical(levels("pqr"), categories=["q", "p", "r"]),
            "b": pd.Categorical(levels("lmnk"), categories=list("klmn"), ordered=True),
            "c": levels("HG"),
            "d": levels("UVW"),
            "e": pd.Categorical(levels("54321")),
        }
    )


def expanded(encoded: Encoded) -> np.ndarray:
    """Write the reported columns out."""
    return encoded.layout.gather(encoded.design.dense().T).T


def check(formula: str, data: pd.DataFrame) -> None:
    frame = read(data)
    encoded = encode(settle(parse(f"~ {formula}", frame.names), frame), frame)
    expected = model_matrix(formula, data, output="pandas")
    assert list(encoded.layout.names) == list(expected.columns)
    ours = expanded(encoded)
    np.testing.assert_allclose(ours, expected.to_numpy(dtype=float), rtol=1e-12, atol=1e-12)
    if encoded.layout.constant is not None:
        np.testing.assert_allclose(ours @ encoded.layout.constant, 1.0, rtol=1e-12)
    if "C(a, [[" not in formula:  # formulaic lets a custom matrix stand where the constant would be
        spanned = np.linalg.matrix_rank(np.column_stack([ours, np.ones(len(data))])) == np.linalg.matrix_rank(
            ours
        )
        assert spanned or encoded.layout.constant is None
    stop = [term.columns.stop for term in encoded.layout.terms]
    start = [term.columns.start for term in encoded.layout.terms]
    assert [0, *stop] == [*start, len(encoded.layout.names)]


@pytest.mark.parametrize("formula", FORMULAS)
def test_columns_are_formulaics(formula: str) -> None:
    check(formula, table())


FACTORS = ["a", "b", "c", "d", "x", "z", "C(k)", "poly(x, 2)", "C(a, contr.sum)", "log(w)"]


@st.composite
def formulas(draw: st.DrawFn) -> str:
    """Draw sums of products of factors, with or without the constant."""
    term = st.lists(st.sampled_from(FACTORS), min_size=1, max_size=3, unique=True)
    terms = draw(st.lists(st.tuples(term, st.sampled_from([":", "*", "/"])), min_size=1, max_size=4))
    text = " + ".join(symbol.join(factors) for factors, symbol in terms)
    return text + draw(st.sampled_from(["", " - 1", " + 0"]))


@settings(max_examples=60, deadline=None)
@given(formula=formulas(), seed=st.integers(0, 5))
def test_columns_of_random_formulas_are_formulaics(formula: str, seed: int) -> None:
    check(formula, table(48, seed))
