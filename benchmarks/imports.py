"""How long `import etamu` takes, in units of `import numpy`: fresh processes in turn, the least time of each.

May import: the standard library.
Read next: `benchmarks.run`.
"""

from __future__ import annotations

import subprocess
import sys

CLOCK = "import time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
MODULES = ("numpy", "etamu")
MOST = 2.5
"""The import may take so many times numpy's."""


def seconds(repeats: int = 11) -> dict[str, float]:
    """Return the least time of each import."""
    least = dict.fromkeys(MODULES, float("inf"))
    for _ in range(repeats):
        for name in MODULES:
            command = [sys.executable, "-c", CLOCK.format(name)]
            told = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            least[name] = min(least[name], float(told))
    return least


if __name__ == "__main__":
    print(seconds())
