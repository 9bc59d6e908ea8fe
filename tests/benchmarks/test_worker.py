"""A worker answers in lines of JSON, in a process of its own, and says why when it cannot."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.process import Worker, WorkerError, environment
from benchmarks.rivals.library import MODULES
from benchmarks.tasks import EVERYBODY, TASKS


def test_every_library_of_every_task_has_a_file() -> None:
    assert set(EVERYBODY) | {name for task in TASKS for name in task.libraries} == set(MODULES)


def test_a_worker_fits_and_tells(tmp_path, monkeypatch) -> None:
    root = Path.cwd()
    monkeypatch.setenv("PYTHONPATH", f"{root}:{root}/src")
    monkeypatch.chdir(tmp_path)  # its log goes to build/ of the working directory
    worker = Worker("small", "etamu", 300, 1, 60.0)
    try:
        told = worker.fit(None)
    finally:
        worker.close()
    assert worker.about["coefficients"] == len(told["coef"]) == 9
    assert np.isfinite(told["coef"]).all()
    assert told["seconds"] > 0.0
    assert told["passes"] >= 2


def test_a_worker_that_cannot_says_why(tmp_path, monkeypatch) -> None:
    root = Path.cwd()
    monkeypatch.setenv("PYTHONPATH", f"{root}:{root}/src")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkerError, match="dense columns only"):
        Worker("small", "etamu, stated family", 300, 1, 60.0)


def test_threads_are_told_to_every_library() -> None:
    told = environment(3)
    assert {told[name] for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS")} == {"3"}
