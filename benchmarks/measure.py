"""Memory of this process: where it stands, its peak since a mark, and a cap.

May import: the standard library.
Read next: `benchmarks.worker`.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import re
import resource
from pathlib import Path

STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")


def _megabytes(field: str) -> float | None:
    found = (
        re.search(rf"{field}:\s*(\d+) kB", STATUS.read_text(encoding="utf-8")) if STATUS.exists() else None
    )
    return int(found[1]) / 1024.0 if found else None


def mark() -> float | None:
    """Give freed memory back, forget the peak so far, return the megabytes held; None if unknown."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    try:
        CLEAR.write_text("5", encoding="ascii")
    except OSError:
        return None
    return _megabytes("VmRSS")


def peak_above(held: float | None) -> float | None:
    """Return the most megabytes held since the mark, above those held then."""
    peak = _megabytes("VmHWM")
    return None if held is None or peak is None else max(0.0, peak - held)


def cap_memory(gigabytes: float) -> None:
    """Make allocations beyond a cap fail with MemoryError, before the system kills what it likes."""
    limit = int(gigabytes * 2**30)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("900", encoding="ascii")
