"""Models drawn at random: each answer is right, or certified, or refused by name, or given up with a warning.

`make slow` draws ETAMU_DRAWS (20,000) of them; every run draws 500, the same ones each time.
"""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.recipes import Recipe, cooked, recipes
from tests.fuzz.verdict import RIGHT, UNCONVERGED, verdict

FEW, MANY = 500, int(os.environ.get("ETAMU_DRAWS", "20000"))
GIVEN_UP = 0.001
"""Largest share of draws that may end without a verdict, of models whose data could have come from them."""

pytestmark = pytest.mark.skipif(
    np.finfo(np.longdouble).eps >= np.finfo(float).eps, reason="no precision beyond double on this machine"
)


def drawn(count: int, start: int) -> tuple[Counter[str], Counter[str]]:
    """Judge draws; count verdicts of all of them, and of those that are plain."""
    every: Counter[str] = Counter()
    plain: Counter[str] = Counter()

    @seed(start)
    @settings(max_examples=count, database=None, phases=[Phase.generate, Phase.shrink])
    @settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.nested_given])
    @given(recipes())
    def judge(recipe: Recipe) -> None:
        kind, _ = verdict(cooked(recipe))
        every[kind] += 1
        if recipe.fair:
            plain[kind] += 1

    judge()
    return every, plain


def report(every: Counter[str], plain: Counter[str]) -> str:
    """Say how many draws came to what."""
    words = [
        f"{name}: " + ", ".join(f"{kind} {count}" for kind, count in counted.most_common())
        for name, counted in (("all", every), ("fair", plain))
    ]
    return "; ".join(words)


def test_every_answer_is_right_certified_or_refused(record_property: pytest.RecordProperty) -> None:
    every, plain = drawn(FEW, 1)
    record_property("verdicts", report(every, plain))
    assert every[RIGHT] > 0.3 * every.total()
    assert plain[UNCONVERGED] <= GIVEN_UP * plain.total(), report(every, plain)


@pytest.mark.slow
def test_every_answer_is_right_certified_or_refused_in_many_draws(
    record_property: pytest.RecordProperty,
) -> None:
    every, plain = drawn(MANY, int(np.random.default_rng().integers(2**31)))
    record_property("verdicts", report(every, plain))
    print(report(every, plain))
    assert plain[UNCONVERGED] <= GIVEN_UP * plain.total(), report(every, plain)
