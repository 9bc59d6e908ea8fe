"""Small data sets that any family and link can be fitted to: means well inside, two numbers, one factor.

Read next: tests/test_relations.py, which turns them over and looks whether the answer turns with them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from etamu.family.links import Log
from etamu.family.unit import Unit
from tests.catalogue import BORROWED_UNITS, CUBIC, SECANT, SYMPY, UNITS

FORMULA = "y ~ x + z + C(g)"


def _fitted(unit: Unit) -> bool:
    """Tell whether the samples here suit a pair: a link bounded by 1 wants a mean bounded by 1."""
    return unit.link.range.upper >= unit.family.mean.upper


_BORROWED = (unit for unit, _ in BORROWED_UNITS if unit.link == unit.family.default_link)

_DERIVED = (Unit(CUBIC, Log()), Unit(SECANT, SECANT.canonical)) if SYMPY else ()

FITTED: tuple[Unit, ...] = tuple(filter(_fitted, (*UNITS, *_BORROWED, *_DERIVED)))
"""The pairs of the catalogue that tests of whole fits take; borrowed and derived ones by their usual link."""


def sample(unit: Unit, seed: int, n: int = 90) -> dict[str, Any]:
    """Draw y, two covariates and a factor; the means vary by a third around the middle of their range."""
    rng = np.random.default_rng(seed)
    if unit.restricted and unit.family.mean.upper == 1.0:
        # Few zeros and ones leave the maximum on the edge of a restricted domain.
        n *= 10
    x, z, g = rng.uniform(0.0, 4.0, n), rng.uniform(-1.0, 1.0, n), rng.integers(0, 3, n)
    wave = 0.06 * (x - 2.0) + 0.06 * z + 0.06 * (g - 1)
    data = {"x": x, "z": z, "g": np.array(["a", "b", "c"])[g], "y": response(unit, wave, rng)}
    if len(unit.family.response) > 1:
        data["m"] = rng.integers(1, 9, n).astype(float)
        data["y"] = rng.binomial(data["m"].astype(int), 0.5 + np.clip(wave, -0.3, 0.3)).astype(float)
    return data


def response(unit: Unit, wave: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw values of the family's support around means that rise with the wave."""
    support = unit.family.support
    if unit.family.mean.upper == 1.0:
        mu = 0.5 + np.clip(wave, -0.3, 0.3)
        if support.integer:
            return (rng.random(len(wave)) < mu).astype(float)
        return rng.beta(6.0 * mu, 6.0 * (1.0 - mu))
    mu = 4.0 * np.exp(np.clip(wave, -0.6, 0.6))
    if support.integer:
        return rng.poisson(mu).astype(float)
    if support.interval.lower == -np.inf:
        return rng.normal(mu, 0.5)
    return mu * rng.gamma(8.0, 1.0 / 8.0, len(mu))


def keywords(unit: Unit) -> dict[str, Any]:
    """Return the keywords every fit of this unit needs."""
    needed: dict[str, Any] = {"family": unit.family, "link": unit.link}
    return needed | {"trials": "m"} if len(unit.family.response) > 1 else needed
