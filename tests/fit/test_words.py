"""The words for a change of eta keep to what the link makes of it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import etamu as em
from etamu.fit.words import (
    SCALES,
    UNKNOWN_DIRECTION,
    Scale,
    Told,
    doubt,
    figure,
    gloss,
    percent_of,
    scale_of,
    told,
    verb_phrase,
)

RATIO = Scale("mean", "the mean", "ratio")
SUM = Scale("mean", "the mean", "sum")
LATENT = Scale("latent score", "the latent score", "latent", "probability")
LINK = Scale("1/mu", "1/mu", "link")

X = np.linspace(0.0, 2.0, 12)
BINARY = {"y": [0, 1, 0, 1, 0, 1, 1, 0, 1, 0, 1, 1], "x": X}
COUNTS = {"y": [1, 2, 1, 3, 2, 4, 3, 5, 4, 6, 5, 7], "x": X, "t": X + 1.0}

MEANS = {
    "logit": lambda eta: 1 / (1 + math.exp(-eta)),
    "log": math.exp,
    "cloglog": lambda eta: 1 - math.exp(-math.exp(eta)),
    "loglog": lambda eta: math.exp(-math.exp(-eta)),
    "identity": lambda eta: eta,
}

QUANTITIES = {
    "odds": lambda mu: mu / (1 - mu),
    "mean": lambda mu: mu,
    "hazard": lambda mu: -math.log(1 - mu),
    "hazard of the opposite event": lambda mu: -math.log(mu),
}


@pytest.mark.parametrize("link", sorted(MEANS))
@given(eta=st.floats(-1.5, 1.5), delta=st.floats(-1.5, 1.5))
def test_the_quantity_named_changes_by_the_value_told(link, eta, delta) -> None:
    scale = SCALES[link]("mean")
    before, after = (QUANTITIES[scale.word](MEANS[link](each)) for each in (eta, eta + delta))
    change = after / before if scale.kind == "ratio" else after - before
    # 1 - mu of the reference loses up to eight digits where mu is near 1.
    assert scale.value(delta) == pytest.approx(change, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("scale", [RATIO, SUM, LATENT, LINK], ids=lambda scale: scale.kind)
def test_no_change_of_eta_is_the_neutral_value(scale) -> None:
    assert scale.value(0.0) == scale.neutral


def test_overflow_is_infinite_and_underflow_zero() -> None:
    assert RATIO.value(1e4) == math.inf
    assert RATIO.value(-1e4) == 0.0
    assert SCALES["loglog"]("mean").value(-1e4) == math.inf


@given(centre=st.floats(-3, 3), half=st.floats(0, 3))
def test_the_ends_told_are_in_order_also_where_the_noun_falls(centre, half) -> None:
    value = told(SCALES["loglog"]("mean"), (centre, centre - half, centre + half), 0.9)
    assert value.low <= value.estimate <= value.high
    assert value.low * value.high == pytest.approx(math.exp(-2 * centre))


@pytest.mark.parametrize("ends", [(math.nan, 1.0), (0.0, math.nan), (math.nan, math.nan)], ids=str)
def test_without_both_ends_there_is_no_interval(ends) -> None:
    value = told(RATIO, (0.3, *ends), 0.95)
    assert not value.known
    assert value.estimate == pytest.approx(math.exp(0.3))
    assert value.interval == "(no interval: there is no standard error)"
    assert doubt(RATIO, value) == ""


@given(st.floats(1e-6, 1e6))
def test_a_figure_has_three_significant_digits(value) -> None:
    assert abs(float(figure(value)) - value) <= 0.00501 * value


@given(st.floats(1e-8, 0.0099), st.sampled_from([1.0, -0.1]))
def test_near_one_a_figure_has_two_digits_of_the_distance(distance, side) -> None:
    value = 1.0 + side * distance
    assert abs(float(figure(value)) - value) <= 0.051 * abs(value - 1.0) + 1e-9


def test_a_number_its_interval_dwarfs_is_written_plainly() -> None:
    assert Told(1.0002, 0.5, 1.5, 0.95).number == "1"
    assert Told(1.0002, 1.0001, 1.0003, 0.95).number == "1.0002"
    assert "by 1 (95 % interval 0.5 to 1.5), hardly any change" in verb_phrase(
        RATIO, Told(1.0002, 0.5, 1.5, 0.95)
    )


@given(st.floats(0.011, 2.9).filter(lambda ratio: abs(ratio - 1) > 1e-3))
def test_the_per_cent_of_a_gloss_are_those_of_the_ratio(ratio) -> None:
    text = gloss(ratio)
    if "roughly" in text:
        assert min(abs(ratio / target - 1) for target in (0.5, 2.0, 3.0)) <= 0.03
    else:
        article, number, _, direction = text.split()
        assert float(number) == pytest.approx(100 * abs(ratio - 1), abs=0.5001)
        assert direction == ("increase" if ratio > 1 else "decrease")
        spoken_with_vowel = number[0] == "8" or number.split(".")[0] in {"11", "18"}
        assert (article == "an") == spoken_with_vowel


@pytest.mark.parametrize("ratio", [math.nan, math.inf, 0.0, 0.0099, 3.2, 17.0])
def test_ratios_per_cent_would_mislead_about_have_no_gloss(ratio) -> None:
    assert gloss(ratio) == ""


@pytest.mark.parametrize(("level", "text"), [(0.95, "95"), (0.999, "99.9"), (0.5, "50"), (0.29, "29")])
def test_levels_are_written_in_per_cent_without_binary_dust(level, text) -> None:
    assert percent_of(level) == text


def test_every_kind_has_its_verb_in_both_numbers() -> None:
    value = Told(-0.5, -0.7, -0.3, 0.9)
    assert verb_phrase(SUM, value) == "adds -0.5 to the mean (90 % interval -0.7 to -0.3), lowering it"
    assert verb_phrase(SUM, value, plural=True).startswith("add -0.5 to")
    assert verb_phrase(LATENT, value).startswith("shifts the latent score by -0.5 standard deviations")
    assert verb_phrase(LATENT, value).endswith("lowering the probability")
    assert verb_phrase(LATENT, value, plural=True).startswith("shift the")
    assert verb_phrase(LINK, value, "compared with g a") == (
        "adds -0.5 to 1/mu (90 % interval -0.7 to -0.3) compared with g a"
    )
    ratio = Told(1.5, 1.2, 1.9, 0.95)
    assert verb_phrase(RATIO, ratio, plural=True).startswith("multiply the mean by 1.5 ")


@pytest.mark.parametrize(
    ("scale", "low", "high", "unknown"),
    [
        (RATIO, 0.9, 1.1, True),
        (RATIO, 1.0, 1.1, True),
        (RATIO, 1.01, 1.1, False),
        (RATIO, -0.1, 0.9, False),
        (SUM, -0.1, 0.1, True),
        (SUM, 0.9, 1.1, False),
    ],
    ids=lambda each: each.kind if isinstance(each, Scale) else str(each),
)
def test_doubt_is_said_exactly_where_the_interval_holds_no_change(scale, low, high, unknown) -> None:
    assert (UNKNOWN_DIRECTION in doubt(scale, Told((low + high) / 2, low, high, 0.95))) == unknown


@pytest.mark.parametrize(
    ("formula", "data", "keywords", "word"),
    [
        ("y ~ x", BINARY, {"family": "bernoulli"}, "odds"),
        ("y ~ x", BINARY, {"family": "bernoulli", "link": "probit"}, "latent score"),
        ("y ~ x", BINARY, {"family": "bernoulli", "link": "cloglog"}, "hazard"),
        ("y ~ x", COUNTS, {"family": "poisson"}, "mean"),
        ("y ~ x", COUNTS, {"family": "poisson", "exposure": "t"}, "rate"),
        ("y ~ x + offset(log(t))", COUNTS, {"family": "poisson"}, "rate"),
        ("y ~ x + offset(t)", COUNTS, {"family": "poisson"}, "mean"),
        ("y ~ x", COUNTS, {"family": "gaussian"}, "mean"),
    ],
    ids=["logit", "probit", "cloglog", "log", "exposure", "offset log t", "offset t", "identity"],
)
def test_a_fit_is_told_on_the_scale_of_its_link(formula, data, keywords, word) -> None:
    scale = scale_of(em.glm(formula, data, **keywords))
    assert scale.word == word
    assert (scale.mean == "probability") == (keywords["family"] == "bernoulli")


def test_a_link_without_words_is_told_by_its_text() -> None:
    fit = em.glm("y ~ x", COUNTS, "poisson", "sqrt")
    scale = scale_of(fit)
    assert (scale.kind, scale.word) == ("link", fit.link.text)
    assert scale.value(0.25) == 0.25
