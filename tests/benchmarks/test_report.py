"""What is printed says what was measured: ratios, verdicts, failures, and a busy machine."""

from dataclasses import replace

import pytest

from benchmarks import record, report
from benchmarks.limit import Rates
from benchmarks.machine import Machine, verdict
from benchmarks.record import Entry, Result, Run

MACHINE = Machine("a processor", 2, 8.0, "a system", "3.12.0", "AVX2")
RATES = Rates(2, 1e10, 1e11, 2e11, 1e9)


def run_of(*results: Result) -> Run:
    run = Run(MACHINE, RATES, RATES, {"numpy": 0.05, "etamu": 0.1}, 0.7)
    for result in results:
        run = run.with_result(result)
    return run


def result_of(task: str, *entries: Entry, limit: float | None = None) -> Result:
    return Result(task, 1_000, 31, 8.0, limit, 1e-13, entries, "2026-01-01 00:00 UTC", "abc", 0.01)


def entry(library: str, *seconds: float, **more) -> Entry:
    return Entry(library, "1.0", 2, seconds=seconds, **{"error": 1e-9, "passes": 4, "peak_mb": 10.0, **more})


def told(run: Run) -> dict[str, bool | None]:
    return {verdict.text: verdict.reached for verdict in report.verdicts(run)}


@pytest.mark.parametrize(("ours", "reached"), [(0.1, True), (0.11, False)])
def test_ten_times_glum_is_judged_by_the_least_times(ours: float, *, reached: bool) -> None:
    result = result_of("logistic-dense", entry("etamu", 5.0, ours), entry("glum", 1.0, 3.0), limit=0.06)
    verdicts = told(run_of(result))
    assert verdicts[f"{1.0 / ours:.1f}× glum (at least 10×)"] is reached
    assert verdicts[f"{ours / 0.06:.1f}× the time of the limit (at most 2×)"] is True


def test_a_rival_that_fails_is_neither_beaten_nor_hidden() -> None:
    failing = Entry("glum", "3", failed="out of memory")
    run = run_of(result_of("high-cardinality", entry("etamu", 1.0), failing))
    assert told(run)["glum out of memory"] is None
    assert "out of memory" in report.page(run)
    assert "fails" not in report.readme(run)
    beaten = result_of("poisson-dense", entry("etamu", 1.0), entry("glum", 2.0))
    fast = run_of(beaten, *run.results.values())
    assert "| High cardinality | 1,000 × 31 | 1 s | fails |" in report.readme(fast)


def test_a_rival_that_takes_too_long_is_said_to() -> None:
    slow = Entry("statsmodels", "1", failed="took longer than 6 s")
    run = run_of(
        result_of("poisson-dense", entry("etamu", 1.0), entry("glum", 2.0), slow),
        result_of("small", entry("etamu", 1.0), entry("glum", 2.0), entry("statsmodels", 3.0)),
    )
    assert "| 1 s | 2.0× | over 6 s |" in report.readme(run)


@pytest.mark.parametrize(("error", "reached"), [(1e-9, True), (2e-8, False), (None, None)])
def test_our_own_accuracy_is_judged(error: float | None, reached: bool | None) -> None:
    run = run_of(result_of("poisson-wide", entry("etamu", 1.0, error=error)))
    assert [v.reached for v in report.verdicts(run) if "SE" in v.text or "no answer" in v.text] == [reached]


def test_memory_may_hold_a_p_by_p_matrix() -> None:
    run = run_of(result_of("poisson-wide", entry("etamu", 1.0, peak_mb=64.0)))
    assert told(run)["64 MB above the input (at most 64 MB)"] is True
    run = run_of(result_of("poisson-wide", entry("etamu", 1.0, peak_mb=65.0)))
    assert told(run)["65 MB above the input (at most 64 MB)"] is False


def test_text_is_judged_against_categories_and_a_stated_family_against_the_built_in_one() -> None:
    run = run_of(
        result_of("motor-mixed", entry("etamu", 1.0)),
        result_of("motor-text", entry("etamu", 1.9)),
        result_of("derived-family", entry("etamu", 1.0), entry("etamu, stated family", 1.4)),
    )
    verdicts = told(run)
    assert verdicts["1.9× the time of motor-mixed (at most 2×)"] is True
    assert verdicts["1.4× the time of etamu (at most 1.3×)"] is False


def test_first_call_and_warm_call_are_judged() -> None:
    run = run_of(result_of("small", entry("etamu", 0.002, first=(0.009, 0.0085))))
    verdicts = told(run)
    assert verdicts["warm 2 ms (at most 3 ms)"] is True
    assert verdicts["first 8.5 ms (at most 8 ms)"] is False
    assert verdicts["2.00 times import numpy (at most 2.5)"] is True
    assert verdicts["70% of the dgemm rate of a core, in useful flops (at least 60%)"] is True


def test_the_tasks_stand_in_the_order_of_the_table() -> None:
    run = run_of(result_of("small", entry("etamu", 1.0)), result_of("logistic-dense", entry("etamu", 1.0)))
    assert list(run.results) == ["logistic-dense", "small"]


def test_the_readme_has_ratios_to_every_rival_that_answered() -> None:
    rivals = (entry("glum", 1.0), entry("statsmodels", 25.0), Entry("R", failed="is not here"))
    text = report.readme(run_of(result_of("logistic-dense", entry("etamu", 0.1), *rivals)))
    assert text.splitlines() == [
        "| task | rows × coefficients | etamu | glum | statsmodels |",
        "|---|--:|--:|--:|--:|",
        "| Logistic, dense | 1,000 × 31 | 100 ms | 10.0× | 250× |",
    ]


def test_a_busy_machine_is_said() -> None:
    quiet = result_of("poisson-dense", entry("etamu", 1.0))
    result = replace(quiet, busy="12% of the cores")
    assert "**On a busy machine (12% of the cores): not to be quoted.**" in report.page(run_of(result))
    assert "busy" not in report.page(run_of(replace(result, busy="")))


@pytest.mark.parametrize(
    ("share", "load", "said"),
    [(0.0, 0.0, None), (0.04, 0.9, None), (0.2, 0.0, "20% of the cores"), (0.0, 1.5, "load average is 1.50")],
)
def test_a_machine_is_busy_by_its_cores_or_its_load(share: float, load: float, said: str | None) -> None:
    why = verdict(share, load, 2)
    assert why is None if said is None else why is not None and said in why


def test_a_run_survives_its_file(tmp_path) -> None:
    run = run_of(result_of("small", entry("etamu", 0.2, first=(0.5,)), Entry("R", failed="none")))
    record.write(run, tmp_path / "run.json")
    assert record.read(tmp_path / "run.json") == run
