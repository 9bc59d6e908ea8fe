from __future__ import annotations

import threading
import time
from dataclasses import replace

import numpy as np
import pytest

from etamu.design.blocks import Dense
from etamu.design.chunk import Chunk, Predictor, Weights
from etamu.design.design import Design
from etamu.execute.threads import ALONE, CELLS, DEEP, FEWEST, LARGE, MOST, PARTS, Threads, aside, even, kept


def numbered(n: int) -> Chunk:
    return Chunk((Predictor(Design((), n)),), (np.arange(float(n)),), Weights(), np.arange(n))


@pytest.mark.parametrize("n", [0, 1, 6, 7, 8, 100])
@pytest.mark.parametrize("threads", [1, 3])
def test_map_hands_every_row_on_once_in_order(n: int, threads: int) -> None:
    seen: list[np.ndarray] = []
    Threads(numbered(n), rows=7, threads=threads).map(lambda chunk: chunk.y[0], seen.append)
    assert np.array_equal(np.concatenate(seen), np.arange(n))
    assert all(len(piece) <= 7 for piece in seen)


def test_reduce_gives_the_same_bits_whoever_is_first() -> None:
    values = np.random.default_rng(0).normal(size=1000) * 10.0 ** np.arange(1000).__mod__(17)
    chunk = Chunk((Predictor(Design((), 1000)),), (values,), Weights(), np.arange(1000))

    def slowly(block: Chunk) -> float:
        time.sleep(0.002 * (block.row_ids[0] % 3))  # later blocks often finish first
        return float(block.y[0].sum())

    answers = {Threads(chunk, rows=50, threads=t).reduce(slowly) for t in (1, 2, 8)}
    assert len(answers) == 1


def test_an_error_in_a_block_comes_out_and_no_thread_stays() -> None:
    before = threading.active_count()

    def fails(block: Chunk) -> float:
        raise RuntimeError(f"block {block.row_ids[0]}")

    with pytest.raises(RuntimeError, match="block 0"):
        Threads(numbered(100), rows=7, threads=3).reduce(fails)
    assert threading.active_count() == before


@pytest.mark.parametrize("step", [1, 7, 4096])
@pytest.mark.parametrize("times", [0.5, 1.0, 1.01, 3.0, 5.5, 8.0, 8.01, 100.3])
def test_blocks_are_alike_not_longer_than_asked_and_share_out_evenly(step: int, times: float) -> None:
    n = max(int(step * times), 1)
    size = even(n, step)
    count = -(-n // size)
    assert 1 <= size <= step
    wanted = -(-n // step)
    # Of at most eight a power of two, of more a multiple of eight; fewer where rows run out before.
    aim = 1 << (wanted - 1).bit_length() if wanted <= 8 else -(-wanted // 8) * 8
    assert size == -(-n // aim)
    assert count <= aim


def test_blocks_are_chosen_by_the_data_alone_and_cover_it() -> None:
    chunk = numbered(300_000)
    blocks = [Threads(chunk, threads=threads).parts for threads in (1, 2, 7)]
    lengths = [[len(block) for block in each] for each in blocks]
    assert lengths[0] == lengths[1] == lengths[2]
    assert np.array_equal(np.concatenate([block.row_ids for block in blocks[0]]), np.arange(300_000))
    assert FEWEST <= Threads(chunk).step <= MOST
    assert max(lengths[0]) <= Threads(chunk).step


@pytest.mark.parametrize("wide", [1, 30, 100])
@pytest.mark.parametrize("n", [100_000, 1_000_000, 30_000_000])
def test_blocks_are_long_where_that_leaves_eight(n: int, wide: int) -> None:
    one = np.broadcast_to(0.0, n)
    chunk = Chunk((Predictor(Design((), n)),), (one,) * wide, Weights(), range(n))
    parts = Threads(chunk).parts
    cells = chunk.cells / len(parts)
    assert len(parts) >= min(PARTS, chunk.cells // (2 * CELLS))
    assert cells <= LARGE * CELLS
    assert len(parts) <= PARTS or 2 * cells >= min(LARGE * CELLS, MOST * wide)


def test_other_rows_are_visited_in_the_same_way() -> None:
    other = Threads(numbered(100), 7, 3).over(numbered(50))
    assert (len(other.whole), other.rows, other.threads) == (50, 7, 3)


def test_threads_are_kept_from_pass_to_pass_within_a_fit_and_gone_after_it() -> None:
    chunk = numbered(200_000)
    large = replace(chunk, y=(chunk.y[0],) * 4)
    before = threading.active_count()
    names: list[set[str]] = []

    def look(block: Chunk) -> float:
        names[-1].add(threading.current_thread().name)
        return float(len(block))

    with kept():
        for _ in range(3):
            names.append(set())
            assert Threads(large, rows=50_000, threads=2).reduce(look) == 200_000.0
        with kept():  # within another it changes nothing
            assert threading.active_count() <= before + 2
        assert threading.active_count() <= before + 2
    assert len(set.union(*names)) <= 2
    assert threading.active_count() == before


@pytest.mark.parametrize("threads", ["1", "2"])
def test_what_runs_aside_answers_when_asked_and_errors_come_out_there(
    threads: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ETAMU_THREADS", threads)
    before = threading.active_count()
    runners: list[str] = []

    def works() -> int:
        runners.append(threading.current_thread().name)
        return 7

    def fails() -> int:
        raise ValueError("aside")

    with kept():
        answer, error = aside(works), aside(fails)
        assert answer() == 7
        with pytest.raises(ValueError, match="aside"):
            error()
    assert (runners == [threading.current_thread().name]) == (threads == "1")
    assert threading.active_count() == before
    assert aside(works)() == 7  # where no threads are kept


def test_few_rows_of_many_columns_make_blocks_with_rows_enough_for_the_matrix_each_brings() -> None:
    n, p = 4000, 400
    design = Design((Dense((np.broadcast_to(0.0, (n, p)),)),), n)
    chunk = Chunk((Predictor(design),), (np.arange(float(n)),), Weights(), np.arange(n))
    rows = [len(block) for block in Threads(chunk).parts]
    assert len(rows) > 1
    assert min(rows) >= DEEP * p * 0.8  # their number is rounded up to a power of two


def test_an_error_in_a_block_ends_a_sum_before_all_blocks_are_read() -> None:
    seen = []

    def fails(block: Chunk) -> float:
        seen.append(int(block.row_ids[0]))
        if block.row_ids[0] == 0:
            raise KeyError("the first")
        time.sleep(0.005)
        return 0.0

    n = ALONE + 1
    numbers = np.arange(float(n))
    chunk = Chunk((Predictor(Design((Dense((numbers,)),), n)),), (numbers,), Weights(), np.arange(n))
    with pytest.raises(KeyError, match="the first"):
        Threads(chunk, rows=100, threads=2).reduce(fails)
    assert len(seen) < 100
