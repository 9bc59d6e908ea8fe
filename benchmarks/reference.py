"""The answer every library is measured against: Newton's method in float64, to the rounding floor.

May import: numpy, scipy, benchmarks.problem, benchmarks.tasks; nothing of etamu, whose answers it judges.
Read next: `benchmarks.run`, which keeps references under build/bench.

usage: python -m benchmarks.reference TASK ROWS FILE.npz
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy import linalg, sparse, special

from benchmarks.problem import Array, Coded, Dense, Problem
from benchmarks.tasks import BY_NAME

FLOOR = 1e-11
"""A step below so many standard errors ends the iterations; the score's rounding allows about 1e-12."""
BLOCK = 50_000


@dataclass(frozen=True, slots=True, eq=False)
class Design:
    """The design of standardised numbers, and the matrix that maps its coefficients to the raw columns'."""

    X: Any
    back: Array

    def gram(self, w: Array) -> Array:
        """Return X' diag(w) X."""
        if sparse.issparse(self.X):
            return np.asarray((self.X.T @ (sparse.diags(w) @ self.X)).todense())
        total = np.zeros((self.X.shape[1],) * 2)
        for start in range(0, len(w), BLOCK):
            rows = self.X[start : start + BLOCK]
            total += rows.T @ (rows * w[start : start + BLOCK, None])
        return total


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Coefficients and standard errors in the order intercept, terms; the last step in standard errors."""

    coef: Array
    se: Array
    floor: float
    deviance: float

    def error(self, coef: Array) -> float:
        """Return the largest error of coefficients in standard errors."""
        return float(np.max(np.abs(np.asarray(coef, dtype=np.float64) - self.coef) / self.se))


def design_of(problem: Problem) -> Design:
    """Write the design matrix out: dense as it is, a table sparse."""
    if isinstance(problem, Dense):
        X = np.column_stack([np.ones(problem.rows), problem.X])
        return Design(X, np.eye(X.shape[1]))
    blocks: list[Any] = [sparse.csr_array(np.ones((problem.rows, 1)))]
    shift, scale = [0.0], [1.0]
    for column in problem.terms.values():
        if isinstance(column, Coded):
            rows = np.flatnonzero(column.codes > 0)
            shape = (problem.rows, len(column.levels) - 1)
            blocks.append(sparse.csr_array((np.ones(len(rows)), (rows, column.codes[rows] - 1)), shape))
            shift += [0.0] * shape[1]
            scale += [1.0] * shape[1]
        else:
            number = np.asarray(column, dtype=np.float64)
            shift.append(float(number.mean()))
            scale.append(float(number.std()))
            blocks.append(sparse.csr_array(((number - shift[-1]) / scale[-1])[:, None]))
    back = np.diag(1.0 / np.asarray(scale))
    back[0] -= np.asarray(shift) / np.asarray(scale)
    return Design(sparse.csr_array(sparse.hstack(blocks, format="csr")), back)


def per_row(family: str, y: Array, eta: Array) -> tuple[Array, Array, Array, Array]:
    """Return half the unit deviance, score, observed and expected information of each row."""
    if family == "bernoulli":
        mu = special.expit(eta)
        return np.logaddexp(0.0, eta) - y * eta, y - mu, mu * special.expit(-eta), mu * special.expit(-eta)
    mu = np.exp(eta)
    if family == "poisson":
        return special.xlogy(y, y) - y * eta - y + mu, y - mu, mu, mu
    ratio = y / mu
    return ratio - np.log(ratio) - 1.0, ratio - 1.0, ratio, np.ones_like(ratio)


def solve(family: str, problem: Problem) -> Reference:
    """Maximise the likelihood by Newton's method with halving."""
    design = design_of(problem)
    exposure = getattr(problem, "exposure", None)
    offset = np.zeros(problem.rows) if exposure is None else np.log(exposure)
    mean = problem.y.sum() / np.exp(offset).sum()
    b = np.zeros(design.X.shape[1])
    b[0] = np.log(mean / (1.0 - mean)) if family == "bernoulli" else np.log(mean)
    eta, size = design.X @ b + offset, np.inf
    value, score, observed, _ = per_row(family, problem.y, eta)
    for _ in range(60):
        factor = linalg.cho_factor(design.gram(observed))
        gradient = design.X.T @ score
        step = linalg.cho_solve(factor, gradient)
        before, size = size, float(np.sqrt(gradient @ step))
        length = 1.0
        while True:
            eta = design.X @ (b + length * step) + offset
            new = per_row(family, problem.y, eta)
            # Near the optimum the value is rounding only: a step is halved only where the value truly rises.
            if new[0].sum() <= value.sum() * (1.0 + 1e-12) or length < 1e-6:
                break
            length /= 2.0
        b = b + length * step
        value, score, observed, expected = new
        if size < FLOOR or (size < 1e-8 and size > 0.5 * before):
            break
    if size > 1e-8 or np.abs(b).max() > 30.0:
        raise ArithmeticError(f"no finite maximum was found: the last step is {size:.1e} standard errors")
    return _finished(family, problem, design, (b, value, score, expected), size)


def _finished(family: str, problem: Problem, design: Design, at: tuple[Array, ...], size: float) -> Reference:
    """Map to raw columns and add standard errors, phi by Pearson where the family does not know it."""
    b, value, score, expected = at
    covariance = linalg.inv(design.gram(expected))
    phi = 1.0 if family != "gamma" else float(score @ score) / (problem.rows - len(b))
    se = np.sqrt(phi * np.einsum("ij,jk,ik->i", design.back, covariance, design.back, optimize=True))
    return Reference(design.back @ b, se, size, 2.0 * float(value.sum()))


def save(reference: Reference, path: Path) -> None:
    """Write a reference to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fields = {"floor": reference.floor, "deviance": reference.deviance}
    np.savez(path, coef=reference.coef, se=reference.se, **fields)


def load(path: Path) -> Reference:
    """Read a reference from a file."""
    with np.load(path) as saved:
        return Reference(saved["coef"], saved["se"], float(saved["floor"]), float(saved["deviance"]))


def main() -> None:
    """Solve one task and save its reference."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=list(BY_NAME))
    parser.add_argument("rows", type=int)
    parser.add_argument("file", type=Path)
    asked = parser.parse_args()
    task = BY_NAME[asked.task]
    save(solve(task.family, task.make(asked.rows)), asked.file)


if __name__ == "__main__":
    main()
