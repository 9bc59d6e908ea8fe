"""Functions that are loaded when they are first called: what a fit can be asked, and mostly is not.

A module that uses this says so twice: under `TYPE_CHECKING` it imports the name, for readers, the type
checker and the contracts on who may import whom; otherwise it takes it from here.

May import: the standard library.
Read next: `etamu.fit.asked`, which asks for most things later.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def later(module: str, name: str) -> Callable[..., Any]:
    """Stand for a function or class of a module until it is called.

    Examples
    --------
    >>> root = later("math", "sqrt")
    >>> root(4.0)
    2.0
    """

    def called(*args: Any, **kwargs: Any) -> Any:
        return getattr(import_module(module), name)(*args, **kwargs)

    return called
