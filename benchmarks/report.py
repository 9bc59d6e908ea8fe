"""Print what a run found: the page RESULTS.md, the verdicts, and the README's table.

May import: the standard library, benchmarks.record, benchmarks.limit, benchmarks.tasks, benchmarks.imports.
Read next: `benchmarks/README.md` for what the columns mean.

usage: python -m benchmarks.report [FILE.json] [--page]      (the README's table, or the whole page)
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks import imports
from benchmarks.limit import Rates
from benchmarks.record import Entry, Result, Run, read
from benchmarks.tasks import BY_NAME, MOST_MS, Target, Task

OURS = 1e-8
"""Largest error of a coefficient of etamu, in standard errors."""
GRAM = 0.6
"""Least share of the dgemm rate for the Gram of a wide block."""
README_RIVALS = ("glum", "statsmodels", "scikit-learn", "rustystats", "R")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Something that must be reached, and whether it is; None where it could not be measured."""

    task: str
    text: str
    reached: bool | None

    def __str__(self) -> str:
        word = {True: "reached", False: "MISSED", None: "not measured"}[self.reached]
        return f"{word:12} {self.task}: {self.text}"


def duration(seconds: float | None) -> str:
    """Write a time with three digits in the unit that fits."""
    if seconds is None:
        return "—"
    return f"{seconds:.3g} s" if seconds >= 1.0 else f"{1e3 * seconds:.3g} ms"


def times(ratio: float | None) -> str:
    """Write a ratio."""
    if ratio is None:
        return "—"
    return f"{ratio:.1f}×" if ratio < 99.5 else f"{ratio:.0f}×"


def ours(task: Task, result: Result) -> Entry | None:
    """Return the entry that the task is about: the last of etamu's."""
    mine = [entry for entry in result.entries if entry.library.startswith("etamu")]
    return mine[-1] if mine and task.libraries[-1] == mine[-1].library else result.of("etamu")


def ratio(rival: Entry | None, entry: Entry | None) -> float | None:
    """Return the rival's least time over the entry's."""
    if rival is None or entry is None or rival.best is None or entry.best is None:
        return None
    return rival.best / entry.best


def verdicts(run: Run) -> Iterator[Verdict]:
    """Hold every result against what its task must reach."""
    for name, result in run.results.items():
        task = BY_NAME[name]
        entry = ours(task, result)
        if entry is None:
            continue
        for target in task.targets:
            yield _against(run, task, result, entry, target)
        error = entry.error
        told = "no answer" if error is None else f"error {error:.1e} SE (at most {OURS:.0e})"
        yield Verdict(task.title, told, None if error is None else error <= OURS)
        if task.memory_mb is not None:
            yield _memory(task, result, entry)
        if task.first:
            least = {"warm": entry.best, "first": min(entry.first, default=None)}
            for kind, seconds in least.items():
                reached = None if seconds is None else 1e3 * seconds <= MOST_MS[kind]
                yield Verdict(
                    task.title, f"{kind} {duration(seconds)} (at most {MOST_MS[kind]:g} ms)", reached
                )
    if run.gram is not None:
        told = f"{run.gram:.0%} of the dgemm rate of a core, in useful flops (at least {GRAM:.0%})"
        yield Verdict("Gram of 500 columns", told, run.gram >= GRAM)
    if run.imports:
        slower = run.imports["etamu"] / run.imports["numpy"]
        told = f"{slower:.2f} times import numpy (at most {imports.MOST})"
        yield Verdict("import etamu", told, slower <= imports.MOST)


def _against(run: Run, task: Task, result: Result, entry: Entry, target: Target) -> Verdict:
    if target.at_least is not None:
        rival = result.of(target.rival)
        if rival is not None and rival.failed and not rival.seconds:
            return Verdict(task.title, f"{target.rival} {rival.failed}", None)
        faster = ratio(rival, entry)
        told = f"{times(faster)} {target.rival} (at least {target.at_least:g}×)"
        return Verdict(task.title, told, None if faster is None else faster >= target.at_least)
    assert target.at_most is not None
    bound = result.limit
    if target.rival != "limit":
        other = (
            run.results[target.rival].of("etamu") if target.rival in run.results else result.of(target.rival)
        )
        bound = other.best if other is not None else None
    slower = None if bound is None or entry.best is None else entry.best / bound
    of = "the limit" if target.rival == "limit" else target.rival
    told = f"{times(slower)} the time of {of} (at most {target.at_most:g}×)"
    return Verdict(task.title, told, None if slower is None else slower <= target.at_most)


def _memory(task: Task, result: Result, entry: Entry) -> Verdict:
    assert task.memory_mb is not None
    allowed = task.memory_mb + result.coefficients**2 * 8.0 / 2**20
    peak = entry.peak_mb
    told = "peak memory" if peak is None else f"{peak:.0f} MB above the input (at most {allowed:.0f} MB)"
    return Verdict(task.title, told, None if peak is None else peak <= allowed)


def task_section(run: Run, result: Result) -> str:
    """Write the table of one task."""
    task = BY_NAME[result.task]
    entry = ours(task, result)
    size = f"{result.rows:,} rows, {result.coefficients:,} coefficients, {result.input_mb:.0f} MB of input"
    lines = [
        f"## {task.title}",
        "",
        f"{size}; {task.family}, {task.link} link.",
        f"{result.date}, commit {result.commit or 'unknown'}; last reference step {result.floor:.0e} SE;",
        f"others used {result.foreign:.0%} of the cores meanwhile.",
    ]
    if result.busy:
        lines.append(f"**On a busy machine ({result.busy}): not to be quoted.**")
    if result.limit is not None and entry is not None and entry.best is not None:
        over = times(entry.best / result.limit)
        lines.append(f"The machine's limit: {duration(result.limit)}; etamu takes {over} as long.")
    lines += [
        "",
        "| library | threads | least | median | ÷ etamu | error, SE | passes | memory, MB | |",
        "|---|--:|--:|--:|--:|--:|--:|--:|---|",
    ]
    lines += [_row(each, entry) for each in result.entries]
    return "\n".join([*lines, ""])


def _row(each: Entry, entry: Entry | None) -> str:
    remarks = [each.failed, each.note]
    if each.tolerance is not None and not each.failed:
        remarks.append(f"tolerance {each.tolerance:g}")
    if each.first:
        remarks.append(f"first call {duration(min(each.first))}")
    cells = [
        f"{each.library} {each.version}".strip(),
        str(each.threads or "—"),
        duration(each.best),
        duration(each.median),
        times(ratio(each, entry)),
        "—" if each.error is None else f"{each.error:.1e}",
        "—" if each.passes is None else str(each.passes),
        "—" if each.peak_mb is None else f"{each.peak_mb:.0f}",
        "; ".join(remark for remark in remarks if remark),
    ]
    return f"| {' | '.join(cells)} |"


def verdict_section(run: Run) -> str:
    """Write what was reached and what was not."""
    return "\n".join(["## What must be reached", "", *(f"    {verdict}" for verdict in verdicts(run)), ""])


def page(run: Run) -> str:
    """Write the whole page."""
    about = run.machine
    kind = f"{about.cores} cores ({about.vectors})"
    lines = [
        "# Benchmark results",
        "",
        "Written by `make bench`; `benchmarks/README.md` says how the numbers are taken.",
        "",
        f"* **Machine**: {about.processor}, {kind}, {about.memory_gb} GB of memory",
        f"* **System**: {about.system}, Python {about.python}",
        *(f"* **Rates**, {_rates(rates)}" for rates in (run.rates, run.single)),
        "",
        verdict_section(run),
        *(task_section(run, result) for result in run.results.values()),
    ]
    return "\n".join(lines)


def _rates(rates: Rates) -> str:
    products = f"dgemm {rates.dgemm / 1e9:.0f} and sgemm {rates.sgemm / 1e9:.0f} Gflop/s"
    reads = f"{rates.bandwidth / 1e9:.1f} GB/s read"
    return f"{rates.threads} threads: {reads}, {products}, exp {rates.exp / 1e6:.0f} million/s"


def readme(run: Run) -> str:
    """Write the README's table: our time, the rivals' over it."""
    rivals = [
        name for name in README_RIVALS if any(ratio(r.of(name), r.of("etamu")) for r in run.results.values())
    ]
    lines = [
        f"| task | rows × coefficients | etamu | {' | '.join(rivals)} |",
        f"|---|--:|--:|{'--:|' * len(rivals)}",
    ]
    for name, result in run.results.items():
        task, entry = BY_NAME[name], result.of("etamu")
        if entry is None or entry.best is None or "glum" not in task.libraries:
            continue
        ratios = []
        for rival in rivals:
            other = result.of(rival)
            ratios.append(_refusal(other) or times(ratio(other, entry)))
        shape = f"{result.rows:,} × {result.coefficients:,}"
        lines.append(f"| {task.title} | {shape} | {duration(entry.best)} | {' | '.join(ratios)} |")
    return "\n".join(lines)


def _refusal(rival: Entry | None) -> str:
    """Say why a rival that took part has no time: it took too long or failed."""
    if rival is None or not rival.failed or rival.seconds:
        return ""
    return rival.failed.replace("took longer than", "over") if "took longer" in rival.failed else "fails"


def main() -> None:
    """Print the README's table or the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path, nargs="?", default=Path("benchmarks/results.json"))
    parser.add_argument("--page", action="store_true", help="the whole page instead of the README's table")
    asked = parser.parse_args()
    run = read(asked.file)
    print(page(run) if asked.page else readme(run))


if __name__ == "__main__":
    main()
