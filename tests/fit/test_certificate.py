"""The certificate of a fit: how it is known that the maximum exists, or that it does not."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu.solve.oracle import Outcome


def quietly(*arguments: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", em.EtamuWarning)
        return em.glm(*arguments, **options)


def test_how_an_interior_maximum_is_known():
    x = np.arange(12.0)
    y = np.array([0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1, 1.0])
    said = {
        "logit": "lambda rho",
        "probit": "overlap",
        "cauchit": "local maximum",
    }
    for link, words in said.items():
        fit = quietly("y ~ x", {"x": x, "y": y}, "bernoulli", link)
        assert words in str(fit.existence)
        assert fit.existence.outcome == ("local" if link == "cauchit" else "interior")
        assert fit.existence.exists
    gamma = em.glm("y ~ x", {"x": x, "y": y + 1.0}, "gamma", "inverse")
    assert "falls whichever way" in str(gamma.existence)
    line = em.glm("y ~ x", {"x": x, "y": y})
    assert "falls whichever way" in str(line.existence)


X = np.arange(6.0)
APART = {"x": X, "y": (X > 2.0) * 1.0}


def test_a_direction_is_named_with_the_rows_it_separates() -> None:
    known = quietly("y ~ x", APART, "bernoulli").existence
    assert known.outcome == "infinite"
    assert not known.exists
    assert known.coefficients == {"Intercept": -np.inf, "x": np.inf}
    assert known.rows.tolist() == list(range(6))


@pytest.mark.parametrize("method", ["firth", "median"])
def test_a_root_of_adjusted_scores_is_no_proof_that_there_is_one_only(method: str) -> None:
    known = em.glm("y ~ x", APART, "bernoulli", method=method).existence
    assert known.outcome == "local"
    assert f"method={method!r}" in str(known)


def test_a_maximum_at_the_edge_of_the_domain_is_finite_and_no_zero_of_the_score() -> None:
    data = {"x": X, "y": [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]}
    known = quietly("y ~ x", data, "bernoulli", "identity").existence
    assert known.outcome == "boundary"
    assert "identity link has its last mean" in str(known)


def test_a_search_that_ended_early_proves_nothing_but_says_what_it_can() -> None:
    data = {"x": X, "y": [0.0, 1.0, 0.0, 1.0, 0.0, 1.0]}
    fit = em.glm("y ~ x", data, "bernoulli")
    known = replace(fit, solution=replace(fit.solution, outcome=Outcome.STALLED)).existence
    assert known.outcome == "unknown"
    assert "The search ended early" in str(known)
    assert "No direction separates the rows" in str(known)


def test_a_model_of_nothing_has_nothing_that_could_run_away() -> None:
    known = em.glm("y ~ 0", {"y": [0.0, 1.0, 1.0]}, "bernoulli").existence
    assert known.exists
    assert "there is no coefficient" in str(known)


def test_it_travels_with_the_fit() -> None:
    fit = quietly("y ~ x", APART, "bernoulli")
    assert str(pickle.loads(pickle.dumps(fit)).existence) == str(fit.existence)
