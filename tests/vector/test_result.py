"""What a fit of several predictors says of itself: tables, summaries, words, and that it cannot change."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import polars as pl
import pytest

import etamu as em
from tests.vector.test_relations import sample


def ordinal():
    return em.glm("y ~ x + z", sample(), em.Cumulative())


def multinomial():
    return em.glm("y ~ x + z", sample(), em.Multinomial())


def test_tables_come_in_the_library_of_the_input():
    assert isinstance(ordinal().tidy(), pd.DataFrame)
    fit = em.glm(
        "y ~ x + z",
        pl.DataFrame(sample().astype({"y": str})),
        em.Cumulative(levels=["low", "middle", "high"]),
    )
    table = fit.tidy(level=0.9)
    assert isinstance(table, pl.DataFrame)
    assert table.columns == [
        *("predictor", "term", "estimate", "std_error", "statistic", "p_value", "conf_low", "conf_high"),
    ]
    assert table["predictor"].to_list() == ["low|middle", "middle|high", "location", "location"]
    assert fit.glance()["nobs"].item() == 240


def test_an_order_of_any_library_is_an_order():
    data = sample()
    order = pl.Enum(["low", "middle", "high"])
    frame = pl.DataFrame(data.astype({"y": str})).with_columns(pl.col("y").cast(order))
    arrow = frame.with_columns(pl.col("y").cast(pl.Utf8)).to_arrow()
    import pyarrow as pa

    codes = pa.DictionaryArray.from_arrays(
        pa.array(data["y"].cat.codes.to_numpy(), pa.int8()), pa.array(["low", "middle", "high"]), ordered=True
    )
    arrow = arrow.set_column(arrow.column_names.index("y"), "y", codes)
    numbers = data.assign(y=data["y"].cat.codes.astype(int))
    own = ordinal()
    for table in (frame, arrow, numbers):
        np.testing.assert_allclose(em.glm("y ~ x + z", table, em.Cumulative()).coef, own.coef, rtol=1e-10)


def test_the_predictors_name_their_coefficients():
    assert multinomial().predictors == {
        "middle": ("middle:Intercept", "middle:x", "middle:z[T.q]"),
        "high": ("high:Intercept", "high:x", "high:z[T.q]"),
    }
    assert ordinal().predictors["location"] == ("x", "z[T.q]")


def test_the_summary_has_a_block_for_each_predictor_and_is_html_too():
    fit = multinomial()
    text, page = str(fit.summary()), fit._repr_html_()
    for words in (
        "middle (log odds against low):",
        "high (log odds against low):",
        "Log-likelihood",
        "converged",
    ):
        assert words in text
        assert words in page
    assert "HC1" in str(fit.with_covariance("HC1").summary())
    assert "CR1" in str(fit.with_covariance("CR1", cluster="k").summary())
    assert repr(fit) == text


def test_nothing_of_it_changes():
    with pytest.raises(dataclasses.FrozenInstanceError):
        ordinal().coef = None


def test_sampling_weights_make_a_sandwich_and_no_likelihood():
    fit = em.glm("y ~ x", sample(), em.Cumulative(), sampling_weights="w")
    assert fit.covariance_kind == "HC1"
    assert np.isnan(fit.loglik)
    assert "sampling weights" in str(fit.summary())


def test_an_alias_has_no_coefficient():
    data = sample().assign(twice=lambda table: 2.0 * table["x"])
    with pytest.warns(em.AliasWarning, match="twice"):
        fit = em.glm("y ~ x + twice", data, em.Multinomial())
    assert fit.aliased == ("middle:twice", "high:twice")
    plain = em.glm("y ~ x", data, em.Multinomial())
    np.testing.assert_allclose(fit.loglik, plain.loglik, rtol=1e-12)
    np.testing.assert_allclose(fit.predict(), plain.predict(), rtol=1e-9)
    with pytest.raises(em.NotAvailableError, match="no estimate"):
        fit.test("high:twice = 0")
    with pytest.warns(em.AliasWarning):
        assert em.glm("y ~ x + twice", data, em.Cumulative()).aliased == ("twice",)


def test_rows_with_gaps_are_dropped_said_and_predicted_as_gaps():
    data = sample()
    data.loc[3, "x"] = np.nan
    data.loc[5, "y"] = None
    with pytest.warns(em.DroppedRowsWarning, match="2 of 240"):
        fit = em.glm("y ~ x", data, em.Multinomial())
    assert np.isnan(fit.predict()[[3, 5]]).all()
    assert fit.predict(kind="class")[3] is None
    assert np.isnan(fit.residuals()[3])
    assert fit.nobs == 238


def test_rows_of_weight_zero_are_predicted_and_nothing_else():
    data = sample().assign(k=lambda table: table["k"].where(table.index != 0, 0))
    fit = em.glm("y ~ x", data, em.Cumulative(), frequency_weights="k")
    assert np.isfinite(fit.predict()[0]).all()
    rest = em.glm("y ~ x", data[data["k"] > 0], em.Cumulative(), frequency_weights="k")
    np.testing.assert_allclose(fit.coef, rest.coef, rtol=1e-10)


def test_a_start_is_taken_and_found_again():
    fit = ordinal()
    again = em.glm("y ~ x + z", sample(), em.Cumulative(), start=fit.coef)
    assert again.iterations <= 1
    np.testing.assert_allclose(again.coef, fit.coef, rtol=1e-10)
    with pytest.raises(em.OptionError, match="likelihood is 0 at start"):
        em.glm("y ~ x + z", sample(), em.Cumulative(), start=fit.coef[[1, 0, 2, 3]])


GOLDEN = [
    (em.Multinomial(), "high:x", "multiplies the odds of high against low by"),
    (em.Cumulative(), "x", "multiplies the odds of a higher class by"),
    (em.Cumulative("probit"), "x", "raising the probability of a higher class"),
    (em.Cumulative("cloglog"), "x", "multiplies the hazard of a class no higher than a given one by"),
    (em.Cumulative("cauchit"), "x", "to the latent score"),
    (
        em.Cumulative(nonproportional="~ x"),
        "low|middle:x",
        "multiplies the odds of a class no higher than low by",
    ),
    (em.ContinuationRatio(), "x", "multiplies the odds of going on to a higher class by"),
    (em.AdjacentCategory(), "x", "multiplies the odds of each class against the one below it by"),
]


@pytest.mark.parametrize(
    ("family", "name", "words"), GOLDEN, ids=[f"{g[0].name}-{i}" for i, g in enumerate(GOLDEN)]
)
def test_words_speak_of_what_the_predictor_is_about(family, name, words):
    fit = em.glm("y ~ x + z", sample(), family)
    said = fit.interpret(units={"x": "mile"})
    assert words in said[name].sentence
    assert said[name].sentence.startswith("each additional mile of x")
    place, sentence = fit.names.index(name), said[name]
    if sentence.scale == "odds":
        assert abs(np.log(sentence.estimate)) == pytest.approx(abs(fit.coef[place]))
    assert sentence.low < sentence.estimate < sentence.high


def test_a_column_of_a_basis_has_no_meaning_of_its_own():
    said = em.glm("y ~ poly(x, 2)", sample(), em.Multinomial()).interpret()
    assert len(said) == 2
    assert "no meaning of its own" in said[0].sentence


def test_rows_are_tabulated_at_the_length_of_the_input():
    data = {
        "y": ["a", "b", "a", "c", "b", "c", "a", None],
        "x": [1.0, 2.0, 3.0, 4.0, 2.0, 1.0, 2.0, 3.0],
        "n": [0.0, 1.0, 3.0, 2.0, 0.0, 1.0, 0.0, 4.0],
    }
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.glm("y ~ x", data, family=em.Multinomial())
    table = fit.augment()
    assert [len(column) for column in table.values()] == [8] * 7
    assert np.isnan(table["p_a"][-1])
    assert table["fitted"][-1] is None
    assert table["class"].tolist() == data["y"]
    total = table["p_a"] + table["p_b"] + table["p_c"]
    np.testing.assert_allclose(total[:-1], 1.0)
    counts = em.glm("n ~ x", data, family=em.HurdlePoisson()).augment()
    assert list(counts) == ["y", "fitted", "zero", "residual_quantile", "weight"]


def test_a_threshold_of_its_own_moves_the_latent_score_the_other_way():
    rng = np.random.default_rng(3)
    x = rng.normal(size=200)
    data = {"x": x, "y": np.digitize(0.8 * x + rng.normal(size=200), [-0.7, 0.8])}
    fit = em.glm("y ~ x", data, family=em.Cumulative("probit", nonproportional="~ x"))
    assert fit.coef[1] < 0.0
    said = str(fit.interpret()["0|1:x"])
    assert f"shifts the latent score by {-fit.coef[1]:.3g} standard deviations" in said
    assert "raising the probability of a higher class than 0" in said
