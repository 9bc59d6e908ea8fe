"""The door to the compiled kernel: the module, or None where the NumPy twins serve.

May import: the compiled module `etamu._kernel`, nothing else.
Read next: `src/kernel/module.cpp`, which says what is behind the door.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from typing import Any

kernel: Any = None
"""The compiled module; None with ETAMU_KERNEL=numpy or where it was not built."""

if os.environ.get("ETAMU_KERNEL", "compiled") != "numpy":
    # A platform without a wheel, or a checkout nobody compiled, has none: the twins serve.
    with contextlib.suppress(ImportError):
        kernel = importlib.import_module("etamu._kernel")

HELD = frozenset({"compiled", "parts"})
"""Cached properties by which columns are handed to the kernel."""


def portable(of: object) -> dict[str, Any]:
    """Return what of an object is pickled: all but what the kernel holds, which is made again."""
    return {name: value for name, value in of.__dict__.items() if name not in HELD}
