"""Models of several predictors drawn at random: right, certified, refused by name, or given up aloud."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

import etamu as em
from tests.fuzz import several
from tests.fuzz.several import Recipe, drawn, verdict
from tests.fuzz.test_fits import by_chance
from tests.fuzz.verdict import RIGHT, UNCONVERGED

FEW, MANY = 120, int(os.environ.get("ETAMU_DRAWS", "20000")) // 10
GIVEN_UP = 0.008
"""Share of draws without a verdict; 5 of 850 measured, three since mended. TODO(#6): 0.001."""


def counted(count: int, start: int) -> Counter[str]:
    """Judge draws; a defect is raised."""
    tally: Counter[str] = Counter()

    @seed(start)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(drawn())
    def judge(recipe: Recipe) -> None:
        tally[verdict(recipe)[0]] += 1

    judge()
    return tally


def hold(tally: Counter[str]) -> None:
    """Hold shares against their bounds."""
    assert tally[RIGHT] > 0.3 * tally.total(), tally
    assert tally[UNCONVERGED] <= by_chance(GIVEN_UP, tally.total()), tally


def test_every_answer_is_right_certified_or_refused() -> None:
    hold(counted(FEW, 2))


@pytest.mark.slow
def test_every_answer_of_many_is_right_certified_or_refused() -> None:
    tally = counted(MANY, int(np.random.default_rng().integers(2**31)))
    print(tally)
    hold(tally)


@pytest.mark.parametrize("family", [em.Cumulative("probit"), em.ZeroInflatedPoisson(), em.Beta()], ids=str)
def test_a_ten_thousandth_of_a_coefficient_is_seen(family, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(family, 20, ("usual",), "none", False, "model", "none", "usual", "none", 1)
    assert verdict(recipe)[0] == RIGHT
    honest = several.fitted

    def moved(recipe: Recipe):
        fit, data = honest(recipe)
        return replace(fit, beta=fit.beta + 1e-4), data

    monkeypatch.setattr(several, "fitted", moved)
    with pytest.raises(AssertionError, match=r"standard errors off|log-likelihood"):
        verdict(recipe)
