"""The machine: what it is, and whether something else is using it.

May import: the standard library.
Read next: `benchmarks.run`, which refuses to run on a busy machine.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

BUSY = 0.05
"""Share of all cores that may be in use before the first task."""
CHANGED = ("status", "--porcelain", "--", "src", "CMakeLists.txt", "pyproject.toml")
"""Of git: which files that make etamu differ from the commit; results rewritten by a run do not count."""
LOAD = 0.5
"""Load average over one minute, per core, above which a machine counts as busy."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What the machine is."""

    processor: str
    cores: int
    memory_gb: float
    system: str
    python: str
    vectors: str


def describe() -> Machine:
    """Describe the machine from what the system tells."""
    about = _read("/proc/cpuinfo")
    model = re.search(r"model name\s*: (.*)", about)
    flags = (re.search(r"flags\s*: (.*)", about) or [""])[0].split()
    vectors = "AVX-512" if "avx512f" in flags else "AVX2" if "avx2" in flags else platform.machine()
    memory = re.search(r"MemTotal:\s*(\d+)", _read("/proc/meminfo"))
    return Machine(
        processor=model[1] if model else platform.processor() or platform.machine(),
        cores=cores(),
        memory_gb=round(int(memory[1]) / 2**20, 1) if memory else 0.0,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        vectors=vectors,
    )


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def busy_seconds() -> float | None:
    """Return how long all cores have worked since the start of the system, None where nobody tells."""
    first = _read("/proc/stat").partition("\n")[0].split()
    if len(first) < 9:
        return None
    user, nice, system, _, _, irq, softirq, steal = (int(number) for number in first[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def busy_share(seconds: float = 2.0) -> float:
    """Return the share of all cores in use while this process sleeps; 0 where nobody tells."""
    before, start = busy_seconds(), time.perf_counter()
    time.sleep(seconds)
    after = busy_seconds()
    if before is None or after is None:
        return 0.0
    return max(0.0, (after - before) / ((time.perf_counter() - start) * (os.cpu_count() or 1)))


def verdict(share: float, load: float, count: int) -> str | None:
    """Say why a machine with this share of cores in use and this load average is busy; None if it is not."""
    if share > BUSY:
        return f"{share:.0%} of the cores are in use by others (allowed {BUSY:.0%})"
    if load > LOAD * count:
        return f"the load average is {load:.2f} on {count} cores (allowed {LOAD * count:.2f})"
    return None


def busy(patience: float = 180.0) -> str | None:
    """Say why the machine is busy; a load average left by our own installation is given time to fall."""
    until = time.monotonic() + patience
    while True:
        share = busy_share()
        why = verdict(share, os.getloadavg()[0], cores())
        if why is None or share > BUSY or time.monotonic() > until:
            return why
        time.sleep(5.0)


def commit() -> str:
    """Return the commit of etamu, with a mark where its sources were changed; empty outside a repository."""
    try:
        name, changed = (_git(*words) for words in (("rev-parse", "--short=10", "HEAD"), CHANGED))
    except (OSError, subprocess.CalledProcessError):
        return ""
    return f"{name} with changes" if changed else name


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], check=True, capture_output=True, text=True).stdout.strip()  # noqa: S607


def _read(path: str) -> str:
    return Path(path).read_text(encoding="utf-8") if Path(path).exists() else ""


if __name__ == "__main__":
    why = busy(0.0)
    print(describe(), why or "idle")
    sys.exit(why is not None)
