"""Bad input to models of several predictors: a clear error before anything is fitted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import etamu as em

X = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
TEXT = ["a", "b", "c", "a", "b", "c"]


def categories(values=TEXT, levels=("a", "b", "c"), *, ordered=True):
    return pd.Categorical(values, categories=list(levels), ordered=ordered)


CASES = [
    ("no order", em.Cumulative(), {"y": TEXT}, em.DataError, "has none: make it an ordered categorical"),
    (
        "no order of categories",
        em.AdjacentCategory(),
        {"y": categories(ordered=False)},
        em.DataError,
        "levels=",
    ),
    ("empty class", em.Cumulative(), {"y": categories(levels="abcd")}, em.DataError, "no row of class 'd'"),
    ("empty class", em.Multinomial(), {"y": categories(levels="abcd")}, em.DataError, "no row of class 'd'"),
    ("levels lack one", em.Cumulative(levels=("a", "b")), {"y": TEXT}, em.DataError, "holds 'c'"),
    ("levels have more", em.Cumulative(levels=tuple("abcd")), {"y": TEXT}, em.DataError, "class 'd'"),
    ("one class", em.Multinomial(), {"y": ["a"] * 6}, em.OptionError, "two classes or more"),
    ("numbers", em.Multinomial(), {"y": [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]}, em.DataError, "needs classes"),
    ("reference", em.Multinomial(reference="z"), {"y": TEXT}, em.OptionError, "is no class"),
]


@pytest.mark.parametrize(
    ("family", "data", "error", "message"), [c[1:] for c in CASES], ids=[f"{c[0]}-{c[1].name}" for c in CASES]
)
def test_a_response_that_cannot_be_is_refused(family, data, error, message):
    with pytest.raises(error, match=message):
        em.glm(
            "y ~ x",
            {**data, "x": X} if not isinstance(data["y"], pd.Categorical) else pd.DataFrame({**data, "x": X}),
            family=family,
        )


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"a": [1.5, 1, 2, 3, 1, 2]}, "'a' must be whole numbers"),
        ({"a": [-1, 1, 2, 3, 1, 2]}, "'a' must be whole numbers"),
        ({"c": [0, 0, 0, 0, 0, 0]}, "class 'c' has no count above 0"),
    ],
)
def test_counts_that_cannot_be_are_refused(counts, message):
    table = {"a": [1, 2, 3, 1, 2, 3], "b": [2, 2, 1, 1, 3, 1], "c": [3, 1, 2, 2, 1, 1], "x": X, **counts}
    with pytest.raises(em.DataError, match=message):
        em.glm("cbind(a, b, c) ~ x", table, family=em.Multinomial())


DATA = {"y": TEXT, "x": X, "z": X[::-1]}
OPTIONS = [
    ({"dispersion": "pearson"}, em.OptionError, "no dispersion to choose"),
    ({"covariance": "HC3"}, em.OptionError, "for several predictors"),
    ({"trials": "x"}, em.DataError, "trials= belong to binomial"),
    ({"exposure": "x"}, em.OptionError, "exposure needs the log link"),
    ({"link": "probit"}, em.LinkError, "no link to choose"),
    ({"predictors": {"nowhere": "~ z"}}, em.OptionError, "it has 'b', 'c'"),
    ({"predictors": {"b": "y ~ z"}}, em.FormulaError, "no left side"),
    ({"start": [0.0]}, em.OptionError, "start has 1 numbers"),
    ({"start": [np.nan, 0.0, 0.0, 0.0]}, em.OptionError, "finite number"),
    ({"weights": "x"}, em.OptionError, "no bare weights"),
]


@pytest.mark.parametrize(
    ("options", "error", "message"), OPTIONS, ids=[next(iter(o[0])) + str(i) for i, o in enumerate(OPTIONS)]
)
def test_options_that_mean_nothing_are_refused(options, error, message):
    with pytest.raises(error, match=message):
        em.glm("y ~ x", DATA, family=em.Multinomial(), **options)


def test_an_ordinal_model_without_intercept_is_refused():
    with pytest.raises(em.FormulaError, match="leave 0"):
        em.glm("y ~ 0 + x", {"y": [1, 2, 3, 2, 1, 3], "x": X}, family=em.Cumulative())


def test_predictors_of_a_family_of_one_are_refused():
    with pytest.raises(em.OptionError, match="has one, the mean"):
        em.glm("x ~ z", DATA, predictors={"zero": "~ z"})


def fitted():
    return em.glm("y ~ x", {"y": [1, 2, 3, 2, 1, 3, 2], "x": [*X, 1.0]}, family=em.Cumulative())


@pytest.mark.parametrize(
    ("ask", "error", "message"),
    [
        (
            lambda fit: fit.predict(kind="mode"),
            em.OptionError,
            "choose one of 'probabilities', 'class', 'link'",
        ),
        (lambda fit: fit.predict(kind="class", se=True), em.OptionError, "no standard error"),
        (lambda fit: fit.predict(interval="prediction"), em.OptionError, "None, 'confidence'"),
        (lambda fit: fit.predict(level=2.0), em.OptionError, "probability"),
        (lambda fit: fit.conf_int(1.5), em.OptionError, "probability"),
        (lambda fit: fit.conf_int(method="bca"), em.OptionError, "'wald', 'profile'"),
        (lambda fit: fit.residuals("deviance"), em.OptionError, "'quantile', 'response', 'pearson'"),
        (lambda fit: fit.simulate(0), em.OptionError, "whole number from 1"),
        (lambda fit: fit.simulate(1, seed=-1), em.OptionError, "seed"),
        (lambda fit: fit.with_covariance("HC3"), em.OptionError, "choose one of 'model'"),
        (lambda fit: fit.with_covariance("CR1"), em.OptionError, "needs clusters"),
        (lambda fit: fit.with_covariance("HC0", cluster="x"), em.OptionError, "takes no clusters"),
        (lambda fit: fit.test("age = 0"), em.OptionError, "no coefficient"),
        (lambda fit: fit.test("x = 0", "score"), em.OptionError, "'wald', 'lr'"),
        (lambda fit: fit.test(["x = 0", "2 * x = 0"]), em.OptionError, "depend on one another"),
    ],
)
def test_questions_without_an_answer_are_refused(ask, error, message):
    with pytest.raises(error, match=message):
        ask(fitted())


X40 = np.random.default_rng(0).normal(size=40)
Y40 = np.array(["a", "b", "c"])[np.random.default_rng(1).integers(0, 3, 40)]


@pytest.mark.parametrize(
    ("data", "family", "options", "error", "words"),
    [
        (
            {"y": np.arange(300), "x": np.arange(300.0)},
            em.Multinomial(),
            {},
            em.DataError,
            "300 different whole",
        ),
        (
            {"y": Y40, "x": X40},
            em.Cumulative(levels=["a", "b", "b", "c"]),
            {},
            em.DataError,
            "names 'b' twice",
        ),
        (
            {"y": Y40, "x": X40},
            em.Multinomial(),
            {"predictors": {"a": "~ x"}},
            em.OptionError,
            "'a' is the class the others are against",
        ),
        (
            {"y": Y40, "x": X40, "w": np.where(np.arange(40) == 5, -1.0, 1.0)},
            em.Multinomial(),
            {"variance_weights": "w"},
            em.DataError,
            "column 'w'.*row 5 holds -1",
        ),
        ({"y": np.full(40, "a"), "x": X40}, em.Multinomial(), {}, em.OptionError, "only 'a'"),
        ({"y": Y40, "x": X40}, em.Multinomial(reference="z"), {}, em.OptionError, "'z' is no class"),
    ],
    ids=[
        "too many classes",
        "a level twice",
        "the reference",
        "negative weight",
        "one class",
        "no such reference",
    ],
)
def test_bad_input_names_column_row_value_and_remedy(data, family, options, error, words):
    with pytest.raises(error, match=words):
        em.glm("y ~ x", data, family=family, **options)


def test_an_offset_of_one_class_is_part_of_its_formula():
    data = {"y": Y40, "x": X40, "z": np.linspace(-1.0, 1.0, 40)}
    own = em.glm("y ~ x", data, family=em.Multinomial(), predictors={"b": "~ x + offset(z)"})
    eta = own.predict(kind="link")
    b = own.coef[:2]
    np.testing.assert_allclose(eta[:, 0], b[0] + b[1] * data["x"] + data["z"])
    np.testing.assert_allclose(own.predict(data), own.predict())
    assert 'predictors={"b": "~ x +' in str(own.summary())
    every = em.glm("y ~ x", data, family=em.Multinomial(), offset="z")
    both = em.glm("y ~ x", data, family=em.Multinomial(), predictors=dict.fromkeys("bc", "~ x + offset(z)"))
    np.testing.assert_allclose(every.coef, both.coef, rtol=1e-9)
