"""BLAS is held to one thread while ours run, by however many at once, and put back by the last."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from threadpoolctl import threadpool_info, threadpool_limits

from etamu.execute.blas import held


def widths() -> set[int]:
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


def test_the_last_of_several_puts_it_back() -> None:
    with threadpool_limits(2, "blas"):
        before = widths()
        first, second = held(), held()
        first.__enter__()
        second.__enter__()
        assert widths() <= {1}
        first.__exit__(None, None, None)
        assert widths() <= {1}
        second.__exit__(None, None, None)
        assert widths() == before


def test_threads_started_inside_are_held_too() -> None:
    with threadpool_limits(2, "blas"), held(), ThreadPoolExecutor(2) as pool:
        assert pool.submit(widths).result() <= {1}


def test_an_error_puts_it_back() -> None:
    with threadpool_limits(2, "blas"):
        before = widths()
        try:
            with held():
                raise KeyError
        except KeyError:
            assert widths() == before
