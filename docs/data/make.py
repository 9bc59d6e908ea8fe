"""Make the small data sets of the pages, whose numbers are made up: `python docs/data/make.py`.

endometrial.csv is not made here: it is real (Heinze and Schemper 2002), copied from tests/references/bias.

May import: numpy.
Read next: `docs/learn/fish-and-seeds.rst`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

HERE = Path(__file__).parent

# Of the first few thousand seeds of the generator these give estimates close to the round numbers below,
# so that the pages can be read without a calculator.
FISH, SEEDS = 20, 24
POLICIES = 1


def fish() -> str:
    """Make 120 fish: alive after a month (1) or not (0), by food (g a day) and water (litres per fish)."""
    rng = np.random.default_rng(FISH)
    food = rng.integers(1, 11, 120) / 2.0
    water = rng.integers(2, 21, 120)
    eta = -4.0 + 0.7 * food + 0.25 * water
    survived = (rng.random(120) < 1.0 / (1.0 + np.exp(-eta))).astype(int)
    rows = [f"{f:g},{w},{s}" for f, w, s in zip(food, water, survived, strict=True)]
    return "\n".join(["food,water,survived", *rows, ""])


def seeds() -> str:
    """Make 24 trays of 50 seeds: how many germinated, with and without water and fertilizer."""
    rng = np.random.default_rng(SEEDS)
    rows = []
    for water in ("dry", "watered"):
        for fertilizer in ("none", "some"):
            share = 0.4 * (1.5 if water == "watered" else 1.0) * (1.2 if fertilizer == "some" else 1.0)
            rows += [f"{water},{fertilizer},50,{n}" for n in rng.binomial(50, share, 6)]
    return "\n".join(["water,fertilizer,sown,germinated", *rows, ""])


def policies() -> str:
    """Make 2,000 motor policies: claims over the years insured, and their mean cost.

    Claims fall with age until 45 and rise again: a straight line in age is wrong, so that pictures have
    something to show.
    """
    rng = np.random.default_rng(POLICIES)
    n = 2000
    region = rng.choice(["coast", "hills", "plain", "town"], n, p=[0.2, 0.15, 0.25, 0.4])
    age = np.clip(np.round(rng.normal(46.0, 15.0, n)), 18, 85).astype(int)
    power = rng.integers(4, 13, n)
    years = np.round(rng.uniform(0.1, 2.0, n), 2)
    of_region = {"coast": 0.0, "hills": 0.3, "plain": -0.25, "town": 0.45}
    eta = (
        np.array([of_region[name] for name in region]) + 0.06 * (power - 8) + ((age - 45.0) / 22.0) ** 2 - 1.2
    )
    claims = rng.poisson(years * np.exp(eta))
    bent = ((age - 45.0) / 35.0) ** 2 - 0.008 * (age - 45.0)
    mean = 900.0 * np.exp(0.09 * (power - 8) + 0.35 * (region == "town") + bent)
    cost = np.round(mean * rng.gamma(np.maximum(claims, 1) / 0.6) * 0.6 / np.maximum(claims, 1)).astype(int)
    rows = [
        f"{r},{a},{p},{t:g},{k},{c if k else 0}"
        for r, a, p, t, k, c in zip(region, age, power, years, claims, cost, strict=True)
    ]
    return "\n".join(["region,age,power,years,claims,cost", *rows, ""])


if __name__ == "__main__":
    (HERE / "fish.csv").write_text(fish(), encoding="utf-8")
    (HERE / "seeds.csv").write_text(seeds(), encoding="utf-8")
    (HERE / "policies.csv").write_text(policies(), encoding="utf-8")
