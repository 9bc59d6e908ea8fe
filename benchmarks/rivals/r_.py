"""R's glm, in a process of its own that reads one line per fit and holds the watch itself.

May import: the standard library, numpy, benchmarks.
Read next: `benchmarks/rivals/r_.R`, the other end.
"""

from __future__ import annotations

import atexit
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.frames import pandas_frame
from benchmarks.problem import Dense, Problem
from benchmarks.rivals.library import Answer, Runner, UnsupportedError
from benchmarks.tasks import Task

TOLERANCES = (1e-8, 1e-10, 1e-12)
"""Of the deviance; 1e-8 is its default."""
FAMILIES = {"bernoulli": "binomial", "poisson": "poisson", "gamma": "Gamma"}
SCRIPT = Path(__file__).with_suffix(".R")


@dataclass(frozen=True, slots=True)
class Told:
    """One fit, as R tells it."""

    seconds: float
    iterations: int
    coef: tuple[float, ...]


def rscript() -> str:
    """Return the path of Rscript."""
    path = shutil.which("Rscript")
    if path is None:
        raise UnsupportedError("Rscript is not on this machine")
    return path


def version() -> str:
    """Return the version."""
    command = [rscript(), "-e", "cat(as.character(getRversion()))"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def prepare(task: Task, problem: Problem) -> Runner:
    """Write the table where R reads it, and start R."""
    program = rscript()
    folder = Path(tempfile.mkdtemp(prefix="bench-r-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if isinstance(problem, Dense):
        np.asfortranarray(problem.X).T.tofile(folder / "X.bin")
        problem.y.tofile(folder / "y.bin")
        formula, exposure, shape = "y ~ X", "", (problem.rows, problem.X.shape[1])
    else:
        pandas_frame(problem).to_csv(folder / "table.csv", index=False)
        formula, exposure, shape = (
            problem.formula,
            "Exposure" * (problem.exposure is not None),
            (problem.rows, 0),
        )
    about = [formula, FAMILIES[task.family], task.link, exposure, *map(str, shape), str(int(task.summary))]
    process = subprocess.Popen(
        [program, "--vanilla", str(SCRIPT), str(folder), *about],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    atexit.register(process.kill)

    def fit(tolerance: float | None) -> Told:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{tolerance}\n")
        process.stdin.flush()
        words = process.stdout.readline().split()
        if not words:
            raise RuntimeError("R ended without an answer (out of memory, or an error above)")
        return Told(float(words[0]), int(words[1]), tuple(float(word) for word in words[2:]))

    return Runner(fit, lambda told: Answer(np.array(told.coef), told.iterations), lambda told: told.seconds)
