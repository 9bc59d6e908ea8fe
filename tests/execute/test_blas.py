"""BLAS is held to one thread while ours run, by however many at once, and put back by the last."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from threadpoolctl import threadpool_info, threadpool_limits

from etamu.execute.blas import held


def widths() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_the_last_of_many_puts_it_back() -> None:
    with threadpool_limits(2, "blas"):
        before = widths()
        barrier = Barrier(4)

        def hold(_: int) -> set[int]:
            with held():
                barrier.wait()
                return widths()

        with ThreadPoolExecutor(4) as pool:
            assert set().union(*pool.map(hold, range(4))) <= {1}
        assert widths() == before


def test_an_error_puts_it_back() -> None:
    with threadpool_limits(2, "blas"):
        before = widths()
        try:
            with held():
                raise KeyError
        except KeyError:
            assert widths() == before
