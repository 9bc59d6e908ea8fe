"""Penalties: their methods, and that a penalised likelihood is the likelihood and the log determinant."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from etamu._base.types import Want
from etamu.family.catalogue import unit
from etamu.fit.penalty import no_penalty, penalised, penalty_of
from etamu.fit.stage import likelihood_of, prepare
from tests.catalogue import UNITS

RNG = np.random.default_rng(2)
DATA = {"x": RNG.normal(size=40), "z": RNG.normal(size=40), "y": RNG.integers(0, 2, 40) * 1.0}


@pytest.mark.parametrize("each", UNITS, ids=str)
def test_jeffreys_prior_is_a_penalty_of_every_unit_and_firths_of_some(each) -> None:
    assert penalty_of(each, "jeffreys").share == 0.5
    assert penalty_of(each, "ml").none
    firth = penalty_of(each, "firth")
    if each.canonical and each.family.dispersion_known:
        assert firth is not None  # Firth (1993): of a canonical link they are one and the same
        assert firth.share == 0.5
    if firth is None:
        assert "no penalised likelihood" in no_penalty(each, "firth")


def test_a_penalised_likelihood_adds_half_a_log_determinant() -> None:
    fit = em.glm("y ~ x + z", DATA, "bernoulli", "probit", method="jeffreys")
    plain = likelihood_of(fit.problem, prepare(fit.problem))
    climbed = penalised(plain, fit.problem.unit, "jeffreys", 1.0, fit.beta)
    for step in RNG.normal(size=(5, 3)):
        there = fit.beta + 0.3 * step
        gain = climbed.at(there, Want.VALUE).value - climbed.at(fit.beta, Want.VALUE).value
        values, halves = [], []
        for beta in (fit.beta, there):
            local = plain.at(beta, Want.VALUE | Want.EXPECTED)
            values.append(local.value)
            halves.append(0.5 * np.linalg.slogdet(local.expected)[1])
        np.testing.assert_allclose(gain, np.diff(values)[0] + np.diff(halves)[0], rtol=1e-9)


def test_without_a_penalty_there_is_nothing_to_climb() -> None:
    fit = em.glm("y ~ x", DATA, "bernoulli", "probit")
    oracle = likelihood_of(fit.problem, prepare(fit.problem))
    with pytest.raises(em.NotAvailableError, match="no penalised likelihood"):
        penalised(oracle, unit("bernoulli", "probit"), "firth", 1.0, fit.beta)
    assert penalised(oracle, unit("bernoulli", "probit"), "ml", 1.0, fit.beta) is oracle
