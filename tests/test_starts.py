"""From its own start a fit ends no lower than from random ones, wherever starts are known to matter."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import etamu as em
from etamu._base.errors import OptionError
from etamu.solve.outcome import Outcome
from tests import oracle, test_pathological
from tests.pathological import CASES, Boundary, Number

HARD = {"identity", "inverse", "1/mu^2", "cauchit", "sqrt"}
"""Links whose domain ends somewhere, or whose likelihood may have several maxima."""
LARGE = {"CreditCard", "diamonds"}
ROOM = 1e-8
"""What a log-likelihood may be below the best, beside what rounding makes of a sum of its size."""
ROUNDING = 64 * float(np.finfo(float).eps)
pytestmark = pytest.mark.filterwarnings("ignore::etamu._base.errors.EtamuWarning")


def matters(asked: dict[str, Any]) -> bool:
    """Tell whether the start may matter in a case."""
    family, link = asked["family"], asked["link"]
    if family is None or asked["data"] in LARGE or (family, link) == ("gaussian", "identity"):
        return False
    return link in HARD or link.startswith("power") or (link == "log" and family in {"binomial", "gaussian"})


def hostile() -> list[str]:
    kept = (name for name, case in CASES.items() if isinstance(case, Number | Boundary))
    return [f"hostile {name}" for name in kept if matters(test_pathological.asked(name))]


def names() -> list[str]:
    return hostile() + [name for name in oracle.identifiers() if matters(oracle.case(name))]


@functools.cache
def question(name: str) -> oracle.Question:
    kind, _, rest = name.partition(" ")
    asked = test_pathological.question(rest) if kind == "hostile" else oracle.question(oracle.case(name))
    options = {key: value for key, value in asked.options.items() if key != "start"}
    return oracle.Question(asked.formula, asked.data, options)


def from_random_starts(name: str, fit: Any, count: int) -> list[float]:
    """Return half the deviances reached from random coefficients that give every row a mean."""
    asked, rng = question(name), np.random.default_rng(17)
    eta = np.asarray(fit.predict(kind="link"))
    eta = eta[np.isfinite(eta)]
    size = np.where(np.isfinite(fit.coef), np.abs(fit.coef), 0.0) + 1e-3 * np.abs(eta).mean()
    slopes = np.array([column != "Intercept" for column in fit.names])
    reached: list[float] = []
    for _ in range(10 * count):
        if len(reached) == count:
            break
        start = rng.normal(size=fit.coef.size) * size * rng.choice([0.1, 1.0, 3.0])
        start[~slopes] = rng.choice(eta) * np.exp(rng.normal() / 2)
        if slopes.all():
            start = size * np.exp(rng.normal(size=size.size))
        for halving in range(0, 20, 4):
            trial = np.where(slopes & ~slopes.all(), start * 0.5**halving, start)
            try:
                found = em.glm(asked.formula, asked.data, **asked.options, start=trial)
            except OptionError:
                continue  # some row has no mean there
            reached.append(found.deviance / 2)
            break
    return reached


def check(name: str, count: int) -> None:
    asked = question(name)
    fit = em.glm(asked.formula, asked.data, **asked.options)
    assert fit.outcome in {Outcome.CONVERGED, Outcome.BOUNDARY}
    reached = [value for value in from_random_starts(name, fit, count) if np.isfinite(value)]
    assert reached, "some random start is feasible"
    # Of phi estimated the deviance counts in units of the best phi.
    own = fit.phi.kind != "known" and fit.df_resid > 0
    unit = 2.0 * min(reached) / fit.df_resid if own and min(reached) > 0.0 else 1.0
    below = (fit.deviance / 2 - min(reached)) / unit
    assert below <= ROOM + ROUNDING * fit.deviance / unit, f"{below:.1e} below the best"


@pytest.mark.parametrize("name", names())
def test_three_random_starts_lead_no_higher(name: str) -> None:
    check(name, 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", names())
def test_fifty_random_starts_lead_no_higher(name: str) -> None:
    check(name, 50)
