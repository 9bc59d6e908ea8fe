"""What a family costs that nobody has written, beside a built-in one: same rows, same process, in turn.

    python -m benchmarks.derived [rows]

Every fit has a response of its own, so that nothing remembered of the last one helps: the law of a derived
family is inverted for each dispersion anew.

May import: the standard library, numpy, etamu, benchmarks.dense.
Read next: `benchmarks.tasks`, whose row "derived family" states the built-in Poisson's own formulas.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

import numpy as np

import etamu as em
from benchmarks.problem import Array

ROWS, COLUMNS = 500_000, 30
REPEATS = 9
MOST = 1.3
"""Of the built-in's time."""


@dataclass(frozen=True, slots=True)
class Case:
    """A model and how its responses are drawn; `scaled` says that a multiple of one is one as well."""

    title: str
    family: object
    link: object
    response: Array
    scaled: bool = True

    def fit(self, X: Array, turn: int) -> tuple[float, float, int]:
        """Fit a response of its own; return CPU time and time by the clock in ms, and passes."""
        y = self.response * (1.0 + turn / 1000.0) if self.scaled else self.response.copy()
        cpu, clock = time.process_time(), time.perf_counter()
        fit = em.GLM(self.family, self.link).fit(X, y)
        return 1e3 * (time.process_time() - cpu), 1e3 * (time.perf_counter() - clock), fit.passes


def cases(rows: int) -> tuple[Array, dict[str, Case]]:
    """Draw one design and a response for every family."""
    rng = np.random.default_rng(20)
    X = rng.normal(size=(rows, COLUMNS)) / np.sqrt(COLUMNS)
    eta = 0.3 + X @ rng.normal(size=COLUMNS)
    secant = em.derive(cumulant="-log(cos(theta))")
    cubic = em.derive(variance="mu**2 * (1 + mu)")
    amount = np.exp(eta) * rng.gamma(2.0, 0.5, size=rows)
    noise = np.log(np.tan(0.5 * np.pi * rng.random(rows))) * (2.0 / np.pi)
    below = 1.0 / (3.0 + 0.3 * eta)
    listed = (
        Case("Poisson, log", "poisson", "log", rng.poisson(np.exp(eta)).astype(float), scaled=False),
        Case("gamma, log", "gamma", "log", amount),
        Case("gamma, inverse", "gamma", "inverse", below * rng.gamma(8.0, 0.125, size=rows)),
        Case("hyperbolic secant, identity", secant, "identity", eta + 0.8 * noise),
        Case("V = mu^2 (1 + mu), log", cubic, "log", amount),
        Case(
            "V = mu^2 (1 + mu), canonical", cubic, cubic.canonical, below * rng.gamma(8.0, 0.125, size=rows)
        ),
    )
    return X, {case.title: case for case in listed}


PAIRS = (
    ("hyperbolic secant, identity", "Poisson, log"),
    ("hyperbolic secant, identity", "gamma, log"),
    ("V = mu^2 (1 + mu), log", "gamma, log"),
    ("V = mu^2 (1 + mu), canonical", "gamma, inverse"),
)


def main(rows: int, say: Callable[[str], None] = print) -> None:
    """Fit all in turn and print a table: least and median CPU time, the least by the clock, passes, ratio."""
    X, listed = cases(rows)
    for case in listed.values():
        case.fit(X, -1)  # what a process does once: derive, trace, start threads
    seen: dict[str, list[tuple[float, float, int]]] = {title: [] for title in listed}
    for turn in range(REPEATS):
        for title, case in listed.items():
            seen[title].append(case.fit(X, turn))
    say(f"{rows:,} rows x {COLUMNS} columns, {REPEATS} fits each, in turn\n")
    say("| family, link | CPU ms, least | median | clock ms, least | passes |")
    say("|---|--:|--:|--:|--:|")
    for title, times in seen.items():
        cpu, clock, passes = zip(*times, strict=True)
        say(f"| {title} | {min(cpu):.0f} | {median(cpu):.0f} | {min(clock):.0f} | {passes[-1]} |")
    say("\n| derived | built-in | CPU | clock | aim |")
    say("|---|---|--:|--:|--:|")
    for ours, theirs in PAIRS:
        cpu, clock = (min(t[k] for t in seen[ours]) / min(t[k] for t in seen[theirs]) for k in (0, 1))
        say(f"| {ours} | {theirs} | {cpu:.2f} | {clock:.2f} | {MOST} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS)
