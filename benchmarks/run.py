"""Run the benchmarks: refuse a busy machine, measure its limits, calibrate every library, time them in turn.

May import: numpy, benchmarks.*; nothing of etamu or a rival, each of which has a process of its own.
Read next: `benchmarks.process`, `benchmarks.worker`; `benchmarks.report` for what is printed.

usage: python -m benchmarks.run --help
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import json
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import imports, limit, machine, record, reference, report
from benchmarks.process import Worker, WorkerError, environment
from benchmarks.record import Entry, Result
from benchmarks.reference import Reference
from benchmarks.tasks import BY_NAME, TASKS, Task

ACCURACY = 1e-4
"""Largest error of a coefficient in standard errors; a rival's tolerance is tightened until it is reached."""
SLOW = 20.0
"""A library that takes longer, in seconds, is not repeated in the rounds."""
PAUSE = 0.05
"""Seconds between fits, in which the threads of the last one stop spinning."""
BUILD = Path("build/bench")
HERE = Path("benchmarks")


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line asks for."""

    tasks: tuple[Task, ...]
    libraries: tuple[str, ...]
    quick: bool
    repeats: int
    limit: float
    busy: str
    """Why the machine counts as busy, where it runs nevertheless."""

    def rows(self, task: Task) -> int:
        """Return the rows of a task."""
        return task.quick if self.quick else task.rows


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """A library that reached the accuracy: its worker, its settings, and the times so far."""

    worker: Worker
    tolerance: float | None
    told: list[dict[str, Any]]
    rounds: list[dict[str, Any]]
    notes: list[str]

    @property
    def seconds(self) -> float:
        """Return the least time so far."""
        return min(float(told["seconds"]) for told in self.told + self.rounds)


def say(text: str) -> None:
    """Tell the progress."""
    print(text, file=sys.stderr, flush=True)


def reference_of(task: Task, rows: int) -> Reference:
    """Return the reference of a task, from the cache while the sources of the data are the same."""
    sources = ("problem", "dense", "motor", "tasks", "reference")
    text = "".join((HERE / f"{name}.py").read_text(encoding="utf-8") for name in sources)
    key = hashlib.sha256(f"{np.__version__}{text}".encode()).hexdigest()[:12]
    path = BUILD / "references" / f"{task.name}-{rows}-{key}.npz"
    if not path.exists():
        command = [sys.executable, "-m", "benchmarks.reference", task.name, str(rows), str(path)]
        subprocess.run(command, check=True, env=environment(machine.cores()))
    return reference.load(path)


def rates(threads: int, megabytes: int) -> limit.Rates:
    """Measure the machine's rates in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.limit", str(threads), str(megabytes)]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=environment(threads))
    return limit.Rates(**json.loads(told.stdout))


def gram_rate() -> float:
    """Measure the Gram of etamu on one core in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.gram"]
    told = subprocess.run(command, check=True, capture_output=True, text=True, env=environment(1))
    return float(told.stdout)


def calibrate(task: Task, library: str, options: Options, truth: Reference) -> Contender | Entry:
    """Find the loosest sufficient tolerance with all threads, then the better of one thread and all."""
    rows = options.rows(task)
    try:
        found = _tightened(Worker(task.name, library, rows, machine.cores(), options.limit), task, truth)
    except WorkerError as failure:
        return Entry(library, failed=str(failure))
    if isinstance(found, Entry) or machine.cores() == 1 or found.seconds > SLOW:
        return found
    try:
        single = Worker(task.name, library, rows, 1, options.limit)
        other = Contender(single, found.tolerance, [single.fit(found.tolerance, task.inner)], [], [])
    except WorkerError:
        return found
    for contender in (found, other) * 2:
        time.sleep(PAUSE)
        contender.told.append(contender.worker.fit(found.tolerance, task.inner))
    better, worse = sorted((found, other), key=lambda contender: contender.seconds)
    worse.worker.close()
    return better


def _tightened(worker: Worker, task: Task, truth: Reference) -> Contender | Entry:
    error, told = float("inf"), None
    for tolerance in worker.about["tolerances"]:
        try:
            told = worker.fit(tolerance, task.inner)
        except WorkerError as failure:
            worker.close()
            return Entry(
                worker.library, worker.about["version"], worker.threads, tolerance, failed=str(failure)
            )
        error = (
            truth.error(np.asarray(told["coef"])) if len(told["coef"]) == len(truth.coef) else float("nan")
        )
        say(f"    {worker.library}, tolerance {tolerance}: {told['seconds']:.4g} s, error {error:.1e} SE")
        if error <= ACCURACY:
            return Contender(worker, tolerance, [told], [], [])
    worker.close()
    assert told is not None
    tightest = worker.about["tolerances"][-1]
    failed = f"does not reach {ACCURACY:.0e} SE: {error:.1e} at its tightest tolerance {tightest}"
    return Entry(worker.library, worker.about["version"], worker.threads, error=error, failed=failed)


def first_calls(task: Task, contender: Contender, options: Options) -> tuple[float, ...]:
    """Time the first call of fresh processes."""
    times = []
    for _ in range(options.repeats):
        worker = Worker(
            task.name,
            contender.worker.library,
            options.rows(task),
            contender.worker.threads,
            options.limit,
            first=True,
        )
        times.append(float(worker.fit(contender.tolerance)["seconds"]))
        worker.close()
    return tuple(times)


def entry_of(contender: Contender, truth: Reference, first: tuple[float, ...]) -> Entry:
    """Sum up a library's fits."""
    timed = contender.rounds or contender.told
    every = contender.told + contender.rounds
    peaks = [told["peak_mb"] for told in every if told["peak_mb"] is not None]
    return Entry(
        library=contender.worker.library,
        version=contender.worker.about["version"],
        threads=contender.worker.threads,
        tolerance=contender.tolerance,
        seconds=tuple(told["seconds"] for told in timed),
        first=first,
        error=max(truth.error(np.asarray(told["coef"])) for told in every),
        passes=every[-1]["passes"],
        peak_mb=max(peaks, default=None),
        note=every[-1]["note"]
        or "; ".join(contender.notes)
        or ("too slow to be repeated" if not contender.rounds else ""),
    )


def run_task(task: Task, options: Options, measured: limit.Rates) -> Result:
    """Run one task: reference, calibration, rounds in turn."""
    rows = options.rows(task)
    say(f"{task.title} ({rows:,} rows)\n  reference")
    truth = reference_of(task, rows)
    say("  calibration")
    names = [name for name in task.libraries if not options.libraries or name in options.libraries]
    ready: list[Contender] = []
    entries: dict[str, Entry] = {}
    for library in names:
        found = calibrate(task, library, options, truth)
        if isinstance(found, Entry):
            say(f"    {library}: {found.failed}")
            entries[library] = found
        else:
            ready.append(found)
    say("  rounds")
    lively = [contender for contender in ready if contender.seconds <= SLOW]
    for _ in range(options.repeats):
        for contender in list(lively):
            time.sleep(PAUSE)
            try:
                contender.rounds.append(contender.worker.fit(contender.tolerance, task.inner))
            except WorkerError as failure:
                contender.notes.append(str(failure))
                lively.remove(contender)
    foreign = [told["foreign"] for contender in ready for told in contender.rounds if "foreign" in told]
    about: dict[str, Any] = (
        ready[0].worker.about if ready else {"coefficients": len(truth.coef), "input_mb": 0.0}
    )
    for contender in ready:
        contender.worker.close()
    for contender in ready:
        first = first_calls(task, contender, options) if task.first else ()
        entries[contender.worker.library] = entry_of(contender, truth, first)
    dense = task.name in {
        "logistic-dense",
        "logistic-narrow",
        "poisson-dense",
        "poisson-wide",
        "derived-family",
    }
    return Result(
        task=task.name,
        rows=rows,
        coefficients=about["coefficients"],
        input_mb=about["input_mb"],
        limit=limit.seconds(measured, rows, about["coefficients"] - 1) if dense else None,
        floor=truth.floor,
        entries=tuple(entries[name] for name in names),
        date=dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        commit=machine.commit(),
        foreign=statistics.median(foreign) if foreign else 0.0,
        busy=options.busy,
    )


def _options() -> Options:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tasks", default="", help=f"some of {', '.join(BY_NAME)}")
    parser.add_argument(
        "--libraries", default="", help="some of the libraries, by name; etamu if that is all"
    )
    parser.add_argument(
        "--quick", action="store_true", help="small sizes: a rehearsal, kept under build/bench"
    )
    parser.add_argument(
        "--anyway", action="store_true", help="run on a busy machine; the results will say so"
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--limit", type=float, default=300.0, help="seconds one fit may take")
    asked = parser.parse_args()
    names = [name for name in asked.tasks.split(",") if name]
    if unknown := [name for name in names if name not in BY_NAME]:
        parser.error(f"no task {', '.join(unknown)}; there are {', '.join(BY_NAME)}")
    why = machine.busy(0.0 if asked.anyway else 180.0) or ""
    if why and not asked.anyway:
        sys.exit(f"The machine is busy: {why}. Wait, or say ANYWAY=1 (--anyway), and the results will tell.")
    if why:
        say(f"The machine is busy: {why}. The numbers below are not to be quoted.")
    tasks = tuple(task for task in TASKS if not names or task.name in names)
    libraries = tuple(name for name in asked.libraries.split(",") if name)
    return Options(tasks, libraries, asked.quick, asked.repeats, asked.limit, why)


def main() -> None:
    """Run what is asked for, keep it, print it."""
    options = _options()
    say("Rates of the machine")
    megabytes = 128 if options.quick else 1_024
    many, one = rates(machine.cores(), megabytes), rates(1, megabytes)
    run = record.Run(machine.describe(), many, one, imports.seconds(), gram_rate() / one.dgemm)
    path = (BUILD / "quick.json") if options.quick else (HERE / "results.json")
    if path.exists() and (before := record.read(path)).machine == run.machine:
        run = replace(run, results=before.results)
    for task in options.tasks:
        run = run.with_result(run_task(task, options, many))
        record.write(run, path)
        print(report.task_section(run, run.results[task.name]), flush=True)
    page = report.page(run)
    told = path.with_name("quick.md") if options.quick else HERE / "RESULTS.md"
    told.write_text(page, encoding="utf-8")
    print(report.verdict_section(run))
    say(f"Written: {told}, {path}")


if __name__ == "__main__":
    main()
