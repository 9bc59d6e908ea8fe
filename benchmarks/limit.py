"""The machine's limit: rates measured in the same run, and the time they allow a fit.

May import: numpy.
Read next: `benchmarks.report`, which prints our times over this limit.

usage: OPENBLAS_NUM_THREADS=N python -m benchmarks.limit N [MEGABYTES]      (prints JSON)
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

import numpy as np

READS, GRAMS64, GRAMS32, TRANSCENDENTALS = 3, 1, 2, 3
"""What a fit cannot do without: reads of the input, float64 and float32 Grams, transcendentals per row."""


@dataclass(frozen=True, slots=True)
class Rates:
    """What the machine does per second.

    Parameters
    ----------
    threads : int
    bandwidth : float
        Bytes read from memory.
    dgemm, sgemm : float
        Floating-point operations of a product of float64 and of float32 matrices.
    exp : float
        Values of NumPy's exp, in cache.
    """

    threads: int
    bandwidth: float
    dgemm: float
    sgemm: float
    exp: float


def seconds(rates: Rates, rows: int, columns: int) -> float:
    """Return the least time of a fit: 3 reads, 1 float64 and 2 float32 Grams of n p^2 flops, 3 exps a row.

    Parameters
    ----------
    rates : Rates
    rows, columns : int
        Of the dense input, the intercept not counted; the response is read with it.
    """
    flops = float(rows) * columns * columns
    return (
        READS * 8.0 * rows * (columns + 1) / rates.bandwidth
        + GRAMS64 * flops / rates.dgemm
        + GRAMS32 * flops / rates.sgemm
        + TRANSCENDENTALS * rows / rates.exp
    )


def fastest(work: Callable[[], object], repeats: int = 7) -> float:
    """Return the least of several times."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def _bandwidth(pool: ThreadPoolExecutor, threads: int, megabytes: int) -> float:
    """Measure reading: every thread reads its part of an array far larger than what a core keeps."""
    parts = np.array_split(np.ones(megabytes * 131_072), threads)
    by_sum = fastest(lambda: list(pool.map(np.sum, parts)))
    by_dot = fastest(lambda: list(pool.map(lambda part: np.dot(part, part), parts)))
    return megabytes * 1_048_576 / min(by_sum, by_dot)


def _product(dtype: type[np.floating], n: int = 1_536) -> float:
    a = np.random.default_rng(0).random((n, n)).astype(dtype)
    out = np.empty_like(a)
    return 2.0 * n**3 / fastest(lambda: np.dot(a, a, out=out))


def _exp(pool: ThreadPoolExecutor, threads: int, n: int = 16_384, times: int = 200) -> float:
    def one(_: int) -> None:
        x = np.linspace(-3.0, 3.0, n)
        out = np.empty_like(x)
        for _ in range(times):
            np.exp(x, out=out)

    return threads * times * n / fastest(lambda: list(pool.map(one, range(threads))))


def measure(threads: int, megabytes: int = 1_024) -> Rates:
    """Measure all rates with so many threads; BLAS must have been told the same number."""
    with ThreadPoolExecutor(threads) as pool:
        bandwidth = _bandwidth(pool, threads, megabytes)
        exp = _exp(pool, threads)
    return Rates(threads, bandwidth, _product(np.float64), _product(np.float32), exp)


if __name__ == "__main__":
    print(json.dumps(asdict(measure(*map(int, sys.argv[1:])))))
