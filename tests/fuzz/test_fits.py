"""Models drawn at random: each answer is right, or certified, or refused by name, or given up with a warning.

Every run draws 500, the same ones each time; `make slow` draws ETAMU_DRAWS (20,000) new ones and prints their
verdicts.
"""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.recipes import Recipe, cooked, recipes
from tests.fuzz.verdict import RIGHT, UNCONVERGED, UNDECIDED, verdict

FEW, MANY = 500, int(os.environ.get("ETAMU_DRAWS", "20000"))
GIVEN_UP = 0.001
"""Largest share of fair draws, whose response could have come from the model, without a verdict."""
GIVEN_UP_ON_ANY = 0.0035
"""The same of all, however hostile, as measured; a count may be above it by chance. TODO(#6): 0.001."""
OPEN = 0.001
"""Share of hostile draws that show a defect, likewise; TODO(#6): none. A fair draw may show none now."""
SILENT = 0.001
"""Share of hostile draws of which the judge itself has no number, likewise."""

pytestmark = pytest.mark.skipif(
    np.finfo(np.longdouble).eps >= np.finfo(float).eps, reason="no precision beyond double on this machine"
)


class Tally:
    """Verdicts of all draws and of the fair ones, and the defects that hostile ones showed."""

    def __init__(self) -> None:
        self.every: Counter[str] = Counter()
        self.fair: Counter[str] = Counter()
        self.open: list[str] = []

    def judge(self, recipe: Recipe) -> None:
        """Count a verdict; a defect of a fair draw is raised, and so is whatever is no verdict at all."""
        kind = "defect"
        try:
            kind, _ = verdict(cooked(recipe))
        except AssertionError as defect:
            if recipe.fair:
                raise
            self.open.append(f"{defect} {recipe}")
        self.every[kind] += 1
        self.fair[kind] += recipe.fair

    def __str__(self) -> str:
        lines = [
            f"{name}: " + ", ".join(f"{kind} {count}" for kind, count in counted.most_common())
            for name, counted in (("all", self.every), ("fair", self.fair))
        ]
        return "\n".join([*lines, *self.open])


def drawn(count: int, start: int) -> Tally:
    """Judge draws."""
    tally = Tally()

    @seed(start)
    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(recipes())
    def judge(recipe: Recipe) -> None:
        tally.judge(recipe)

    judge()
    return tally


def by_chance(share: float, draws: int) -> float:
    """Return the largest count that three standard errors allow; draws that are alike come in pairs."""
    expected = share * draws
    return expected + 3.0 * np.sqrt(2.0 * expected)


def hold(tally: Tally) -> None:
    """Hold shares against their bounds."""
    assert tally.every[RIGHT] > 0.3 * tally.every.total(), str(tally)
    assert tally.every[UNDECIDED] <= by_chance(SILENT, tally.every.total()), str(tally)
    assert not tally.fair[UNDECIDED], str(tally)
    assert tally.fair[UNCONVERGED] <= GIVEN_UP * tally.fair.total(), str(tally)
    assert tally.every[UNCONVERGED] <= by_chance(GIVEN_UP_ON_ANY, tally.every.total()), str(tally)
    assert len(tally.open) <= by_chance(OPEN, tally.every.total()), str(tally)


def test_every_answer_is_right_certified_or_refused() -> None:
    hold(drawn(FEW, 1))


@pytest.mark.slow
def test_every_answer_of_many_is_right_certified_or_refused() -> None:
    tally = drawn(MANY, int(np.random.default_rng().integers(2**31)))
    print(tally)
    hold(tally)
