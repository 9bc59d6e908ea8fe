"""A worker from outside: started with so many threads, asked in lines of JSON, ended when it takes too long.

May import: the standard library, benchmarks.machine.
Read next: `benchmarks.worker`, the other end of the line.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.machine import busy_seconds

THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "RAYON_NUM_THREADS", "POLARS_MAX_THREADS",
    "NUMEXPR_NUM_THREADS", "ETAMU_THREADS",
)  # fmt: skip
"""What tells the libraries how many threads to use; a name that nobody reads does no harm."""


class WorkerError(Exception):
    """The worker failed; the message says why."""


def environment(threads: int) -> dict[str, str]:
    """Return the environment of a process with so many threads."""
    return {**os.environ, **dict.fromkeys(THREADS, str(threads)), "PYTHONWARNINGS": "ignore"}


class Worker:
    """One library at one task, ready to fit."""

    def __init__(
        self, task: str, library: str, rows: int, threads: int, limit: float, *, first: bool = False
    ) -> None:
        self.library, self.threads, self.limit = library, threads, limit
        log = Path("build/bench/logs")
        log.mkdir(parents=True, exist_ok=True)
        self._log = (log / f"{task}-{library.replace(', ', '-').replace(' ', '-')}.txt").open("ab")
        command = [sys.executable, "-m", "benchmarks.worker", task, library, str(rows)]
        command += ["--memory", f"{_memory():.2f}", *(["--first"] * first)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=environment(threads),
            start_new_session=True,
        )
        try:
            self.about = self._line(max(limit, 120.0))
        except WorkerError:
            self.close()
            raise

    def fit(self, tolerance: float | None, inner: int = 1) -> dict[str, Any]:
        """Fit once and return what the worker tells, with the share of cores that others used meanwhile."""
        assert self._process.stdin is not None
        busy, start = busy_seconds(), time.perf_counter()
        self._process.stdin.write(json.dumps({"tolerance": tolerance, "inner": inner}).encode() + b"\n")
        self._process.stdin.flush()
        told = self._line(self.limit * inner)
        after, wall = busy_seconds(), time.perf_counter() - start
        if busy is not None and after is not None:
            told["foreign"] = max(0.0, after - busy - told["cpu"]) / (wall * (os.cpu_count() or 1))
        return told

    def close(self) -> None:
        """End the process and those it started: an R left alone would work on beside the next library."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._log):
            if stream is not None:
                stream.close()

    def _line(self, limit: float) -> dict[str, Any]:
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as waiting:
            waiting.register(self._process.stdout, selectors.EVENT_READ)
            if not waiting.select(limit):
                self.close()
                raise WorkerError(f"took longer than {limit:.0f} s")
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            raise WorkerError(_ending(code))
        told: dict[str, Any] = json.loads(line)
        if "failed" in told:
            raise WorkerError(told["failed"])
        return told


def _ending(code: int) -> str:
    """Say how a worker ended that did not answer."""
    if code >= 0:
        return f"ended with code {code}"
    return f"ended by {signal.Signals(-code).name}, as when memory runs out"


def _memory() -> float:
    """Return the gigabytes one worker may ask for: 85 % of the machine's."""
    return 0.85 * os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
