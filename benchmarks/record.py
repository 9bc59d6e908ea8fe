"""What a run leaves behind: plain values, written as JSON and read back by the report.

May import: the standard library, benchmarks.limit, benchmarks.machine, benchmarks.tasks.
Read next: `benchmarks.report`.
"""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from benchmarks.limit import Rates
from benchmarks.machine import Machine
from benchmarks.tasks import BY_NAME


@dataclass(frozen=True, slots=True)
class Entry:
    """One library at one task.

    Parameters
    ----------
    library, version : str
    threads : int
        The better of 1 and all.
    tolerance : float, optional
        The loosest of the library's that reaches the accuracy asked for.
    seconds, first : tuples of float
        Every time, warm and of first calls in fresh processes.
    error : float, optional
        Largest error of a coefficient in standard errors.
    passes : int, optional
        Passes over the rows (etamu), or iterations.
    peak_mb : float, optional
        Peak memory above the input.
    failed, note : str
    """

    library: str
    version: str = ""
    threads: int = 0
    tolerance: float | None = None
    seconds: tuple[float, ...] = ()
    first: tuple[float, ...] = ()
    error: float | None = None
    passes: int | None = None
    peak_mb: float | None = None
    failed: str = ""
    note: str = ""

    @property
    def best(self) -> float | None:
        """Return the least time."""
        return min(self.seconds, default=None)

    @property
    def median(self) -> float | None:
        """Return the median time."""
        return statistics.median(self.seconds) if self.seconds else None


@dataclass(frozen=True, slots=True)
class Result:
    """One task: every library, the limit, and the circumstances."""

    task: str
    rows: int
    coefficients: int
    input_mb: float
    limit: float | None
    floor: float
    entries: tuple[Entry, ...]
    date: str
    commit: str
    foreign: float
    busy: str = ""

    def of(self, library: str) -> Entry | None:
        """Return the entry of a library."""
        return next((entry for entry in self.entries if entry.library == library), None)


@dataclass(frozen=True, slots=True)
class Run:
    """A machine, its rates and the results of the tasks; the latest of each."""

    machine: Machine
    rates: Rates
    single: Rates
    imports: dict[str, float] = field(default_factory=dict)
    gram: float | None = None
    results: dict[str, Result] = field(default_factory=dict)

    def with_result(self, result: Result) -> Run:
        """Return the run with one more result, in the order of the tasks."""
        results = {**self.results, result.task: result}
        return replace(self, results={name: results[name] for name in BY_NAME if name in results})


def write(run: Run, path: Path) -> None:
    """Write a run as JSON, times to four digits: the file stays small enough to keep."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(_short(asdict(run)), indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Run:
    """Read a run."""
    told = json.loads(path.read_text(encoding="utf-8"))
    results = {}
    for name, result in told.pop("results").items():
        entries = tuple(
            Entry(**{**entry, "seconds": tuple(entry["seconds"]), "first": tuple(entry["first"])})
            for entry in result.pop("entries")
        )
        results[name] = Result(entries=entries, **result)
    rates, single = Rates(**told.pop("rates")), Rates(**told.pop("single"))
    return Run(machine=Machine(**told.pop("machine")), rates=rates, single=single, results=results, **told)


def _short(value: object) -> object:
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _short(each) for key, each in value.items()}
    return [_short(each) for each in value] if isinstance(value, list | tuple) else value
