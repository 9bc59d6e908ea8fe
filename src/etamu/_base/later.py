"""Functions and modules that are loaded when they are first used: what a fit can be asked, and mostly is not.

A module that uses this says so twice: under `TYPE_CHECKING` it imports the name, for readers, the type
checker and the contracts on who may import whom; otherwise it takes it from here.

May import: the standard library.
Read next: `etamu.fit.asked`, which asks for most things later.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


class LaterModule:
    """Stand for a module until something of it is used.

    Examples
    --------
    >>> calculus = LaterModule("math")
    >>> calculus.sqrt(4.0)
    2.0
    """

    def __init__(self, name: str) -> None:
        self.__dict__["_name"] = name

    def __getattr__(self, name: str) -> Any:
        value = getattr(import_module(self._name), name)
        self.__dict__[name] = value
        return value


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
