"""The three components say what the model is, and their numbers are the model's."""

from __future__ import annotations

import re

import numpy as np
import pytest

import etamu as em
from etamu.family.catalogue import LINKS, pairs
from etamu.fit.components import inverse_text, stated
from tests import oracle


def said(components):
    return re.sub(r"\s+", " ", str(components))


def test_a_model_of_trials_with_a_canonical_link():
    text = said(oracle.answer("open-beetle-logit").fit.components())
    assert "successes_ / trials_ varies around its mean mu as binomial: successes out of trials_" in text
    assert "Var(successes_ / trials_) = V(mu) / trials_, V(mu) = mu (1 - mu), phi = 1 by definition" in text
    assert "logit: eta = g(mu) = log(mu / (1 - mu)) mu = 1 / (1 + exp(-eta)) canonical" in text


def test_an_estimated_dispersion_and_a_restricted_link():
    text = said(oracle.answer("open-clotting1-gamma-identity").fit.components())
    assert "Var(lot1) = phi V(mu), V(mu) = mu^2, phi =" in text
    assert "(Pearson)" in text
    assert "not the canonical link, which is inverse" in text
    assert "only eta in (0, inf) give a mean this family can have" in text


def test_aliases_and_offsets_are_in_the_linear_predictor():
    assert "without Education, z2" in said(oracle.answer("open-swiss-gaussian-aliased").fit.components())
    data = {"y": [1.0, 3.0, 4.0], "x": [0.0, 1.0, 2.0], "t": [1.0, 2.0, 1.0], "o": [0.1, 0.2, 0.3]}
    fit = em.glm("y ~ x", data, family="poisson", exposure="t", offset="o")
    assert fit.components().systematic[0].endswith("+ log(t) + o")
    without = em.glm("y ~ 0 + x", data, family="gaussian", offset=np.zeros(3))
    assert re.fullmatch(r"eta = [\d.]+ x \+ offset", without.components().systematic[0])


def test_a_coefficient_is_never_parted_from_its_name():
    lines = str(oracle.answer("open-ornstein-quasipoisson").fit.components()).splitlines()
    assert not any(re.search(r"[+-] [\d.]+$", line) for line in lines)
    assert max(map(len, lines)) <= 88


def test_eta_mean_and_variance_have_the_rows_of_the_input():
    fit = oracle.answer("open-airquality-gamma-log").fit
    parts = fit.components()
    # One adds the columns up in the kernel's order, the other in NumPy's: a last bit may differ.
    np.testing.assert_allclose(parts.eta, fit.predict(kind="link"), rtol=4e-16)
    np.testing.assert_allclose(parts.mean, np.exp(parts.eta))
    np.testing.assert_allclose(parts.variance, parts.mean**2)
    assert np.isnan(parts.eta).sum() == 42


@pytest.mark.parametrize("link", LINKS, ids=str)
def test_every_link_of_the_house_has_its_inverse_in_words(link):
    assert "eta" in inverse_text(link)
    assert "solved" not in inverse_text(link)


@pytest.mark.parametrize("unit", pairs(), ids=str)
def test_no_family_is_stated_with_a_parameter_left_open(unit):
    variance, cumulant = stated(unit.family)
    assert not re.search(r"\b[kp]\b", variance + cumulant)
