"""Who called: the stack level at which a warning points at the user's own line.

May import: the standard library.
Read next: `etamu._base.errors` for the warnings.
"""

from __future__ import annotations

import sys
from types import FrameType


def user_level() -> int:
    """Count the frames from the caller of this function to the first one outside this package."""
    level = 1
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001  the documented way to look at one's callers
    while frame is not None and str(frame.f_globals.get("__name__", "")).split(".")[0] == "etamu":
        level, frame = level + 1, frame.f_back
    return level
