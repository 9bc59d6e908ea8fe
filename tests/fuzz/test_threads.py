"""Threads that fit at once get the bits of one; an interrupt ends a long fit and leaves no thread behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

import etamu as em
from tests.fuzz.load import bits, long_table
from tests.samples import FITTED, FORMULA, keywords, sample

CHOSEN = FITTED[:: max(len(FITTED) // 12, 1)]


def test_many_threads_at_once_get_the_bits_of_one() -> None:
    wide = long_table()
    jobs = [(FORMULA, sample(unit, 3), keywords(unit)) for unit in CHOSEN]
    jobs += [("y ~ x + C(g)", wide, {"family": "poisson"})] * 2

    def one(job: tuple[str, Any, dict[str, Any]]) -> bytes:
        return bits(em.glm(job[0], job[1], **job[2]))

    serial = [one(job) for job in jobs]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(2):
            assert list(pool.map(one, jobs)) == serial


SCRIPT = """
import signal, sys, threading, time
import numpy as np
import etamu as em
from tests.fuzz.load import bits, long_table

signal.signal(signal.SIGINT, signal.default_int_handler)
data = long_table()
labelled = {"x": data["x"], "g": np.array(list("abcdefghi"))[data["g"]]}
few = {name: column[:4000] for name, column in data.items()}
ask = lambda: em.glm("y ~ x + C(g)", data, family="poisson")
before = bits(ask())
start = em.glm("y ~ x", few, family="poisson")
start.with_covariance("bootstrap", replications=2)
try:
    print("ready", flush=True)
    while True:
        if sys.argv[1] == "fit":
            ask()
        elif sys.argv[1] == "vector":
            em.glm("g ~ x", labelled, family=em.Multinomial())
        else:
            start.with_covariance("bootstrap", replications=100_000)
except KeyboardInterrupt:
    end = time.monotonic() + 5.0  # a thread that is just starting or ending may take a moment
    while len(threading.enumerate()) > 1 and time.monotonic() < end:
        time.sleep(0.01)
    left = [thread.name for thread in threading.enumerate() if thread is not threading.main_thread()]
    print("stopped", left, bits(ask()) == before, flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT for one process there")
@pytest.mark.parametrize("what", ["fit", "vector", "bootstrap"])
def test_an_interrupt_ends_a_long_fit_and_leaves_no_thread(what: str, tmp_path, request) -> None:
    script = tmp_path / "long.py"
    script.write_text(SCRIPT)
    path = os.pathsep.join([str(request.config.rootpath), *filter(None, sys.path)])
    process = subprocess.Popen(
        [sys.executable, str(script), what],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": path, "ETAMU_THREADS": "4"},
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    time.sleep(0.3)  # so that it is well under way
    process.send_signal(signal.SIGINT)
    said, wrong = process.communicate(timeout=120)
    assert said == "stopped [] True\n", said + wrong
