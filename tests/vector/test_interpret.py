"""Words about several predictors: what each is about, on the scale of its link."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests.vector.test_relations import sample

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


def test_a_threshold_of_its_own_moves_the_latent_score_the_other_way():
    rng = np.random.default_rng(3)
    x = rng.normal(size=200)
    data = {"x": x, "y": np.digitize(0.8 * x + rng.normal(size=200), [-0.7, 0.8])}
    fit = em.glm("y ~ x", data, family=em.Cumulative("probit", nonproportional="~ x"))
    assert fit.coef[1] < 0.0
    said = str(fit.interpret()["0|1:x"])
    assert f"shifts the latent score by {-fit.coef[1]:.3g} standard deviations" in said
    assert "raising the probability of a higher class than 0" in said
