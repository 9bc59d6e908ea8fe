"""One process for one library and one task: it draws the data, gets ready, and fits whenever it is told to.

May import: numpy, benchmarks.measure, benchmarks.problem, benchmarks.tasks, benchmarks.rivals.
Read next: `benchmarks.run`, which starts such processes and talks to them in lines of JSON.

usage: python -m benchmarks.worker TASK LIBRARY ROWS [--first] [--memory GB]
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import measure
from benchmarks.problem import Coded, Dense, Problem, Table
from benchmarks.rivals.library import MODULES, Runner, UnsupportedError
from benchmarks.tasks import BY_NAME, Task

Say = Callable[[dict[str, Any]], None]


def tiny(task: Task, problem: Problem) -> Problem:
    """Return a problem of the same kind with 200 rows, whose fit loads whatever a first fit loads."""
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 200).astype(np.float64)
    if task.family == "gamma":
        y = 1.0 + rng.random(200)
    if isinstance(problem, Dense):
        return Dense(rng.standard_normal((200, 2)), y)
    terms = {"g": Coded(rng.integers(0, 2, 200), ("a", "b")), "x": rng.standard_normal(200)}
    return Table("y", y, terms, None if problem.exposure is None else np.full(200, 0.5), problem.text)


def answer(task: Task, runner: Runner, tolerance: float | None, inner: int) -> dict[str, Any]:
    """Fit, and tell the time, the answer and the memory; of several fits the time of one."""
    held = measure.mark()
    own = os.times()
    start = time.perf_counter()
    for _ in range(inner):
        fitted = runner.fit(tolerance)
    seconds = (time.perf_counter() - start) / inner
    done = os.times()
    peak = measure.peak_above(held)
    if runner.clocked is not None:
        seconds, peak = runner.clocked(fitted), None
    told = runner.read(fitted)
    return {
        "seconds": seconds,
        "cpu": done.user + done.system - own.user - own.system,
        "coef": [float(number) for number in told.coef],
        "passes": told.passes,
        "note": told.note,
        "peak_mb": peak,
    }


def serve(task: Task, library: str, rows: int, *, first: bool, say: Say) -> None:
    """Get ready, say so, then answer every line of the standard input."""
    module = importlib.import_module(MODULES[library])
    problem = task.make(rows)
    if not first:
        warming = module.prepare(task, tiny(task, problem))
        warming.fit(module.TOLERANCES[0])
    runner = module.prepare(task, problem)
    say({
        "ready": library,
        "version": module.version(),
        "tolerances": module.TOLERANCES,
        "coefficients": problem.coefficients,
        "input_mb": problem.nbytes / 2**20,
    })  # fmt: skip
    for line in sys.stdin:
        asked = json.loads(line)
        say(answer(task, runner, asked["tolerance"], asked["inner"]))


def main() -> None:
    """Serve, and tell the orchestrator why if that fails."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("task", choices=list(BY_NAME))
    parser.add_argument("library", choices=list(MODULES))
    parser.add_argument("rows", type=int)
    parser.add_argument("--first", action="store_true", help="no fit before the first that is timed")
    parser.add_argument("--memory", type=float, default=0.0, help="gigabytes this process may have")
    asked = parser.parse_args()
    # What a library prints goes to the log; the channel to the orchestrator is a copy of the standard output.
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def say(told: dict[str, Any]) -> None:
        channel.write(json.dumps(told) + "\n")
        channel.flush()

    if asked.memory:
        measure.cap_memory(asked.memory)
    warnings.simplefilter("ignore")
    try:
        serve(BY_NAME[asked.task], asked.library, asked.rows, first=asked.first, say=say)
    except UnsupportedError as failure:
        say({"failed": str(failure)})
    except Exception as failure:
        say({"failed": f"{type(failure).__name__}: {failure}".splitlines()[0][:200]})
        raise


if __name__ == "__main__":
    main()
