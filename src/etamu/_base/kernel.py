"""The door to the compiled kernel: the module, or None where the NumPy twins serve.

May import: the compiled module `etamu._kernel`, nothing else.
Read next: `src/kernel/module.cpp`, which says what is behind the door.
"""

from __future__ import annotations

import os
from typing import Any


def _opened() -> Any:
    if os.environ.get("ETAMU_KERNEL", "compiled") == "numpy":
        return None
    try:
        from etamu import _kernel
    except ImportError:  # a platform without a wheel, or a checkout nobody compiled
        return None
    return _kernel


kernel: Any = _opened()
"""The compiled module; None with ETAMU_KERNEL=numpy or where it was not built."""
