"""The stack level of a warning: the first line outside the package, however deep the call."""

from __future__ import annotations

import inspect
import types
import warnings
from collections.abc import Callable

import numpy as np
import pytest

import etamu as em
from etamu.fit import caller
from etamu.fit.caller import user_level


def inside(name: str, source: str, **names: object) -> Callable[..., int]:
    """Compile a function `f` in a module of another name."""
    module = types.ModuleType(name)
    module.__dict__.update(names, user_level=user_level)
    exec(source, module.__dict__)
    return module.f


def nested(depth: int, name: str = "etamu.made") -> Callable[..., int]:
    """Wrap the question in `depth` functions of a module of that name."""
    f = inside(name, "def f():\n    return user_level()\n")
    for _ in range(depth - 1):
        f = inside(name, "def f():\n    return g()\n", g=f)
    return f


def test_called_from_outside_the_level_is_one() -> None:
    assert user_level() == 1


@pytest.mark.parametrize("depth", [1, 2, 3, 10])
def test_every_frame_of_the_package_counts_one(depth: int) -> None:
    assert nested(depth)() == 1 + depth


@pytest.mark.parametrize("name", ["etamux", "my.etamu", "", "__main__", "etamu_plugin.fit"])
def test_only_the_first_part_of_the_module_name_counts(name: str) -> None:
    assert nested(3, name)() == 1


@pytest.mark.parametrize("name", ["etamu", "etamu.fit", "etamu.a.b.c"])
def test_the_package_and_all_its_rooms_count(name: str) -> None:
    assert nested(2, name)() == 3


def test_counting_stops_at_the_first_line_outside() -> None:
    """etamu called by a user's function called by etamu: the user's function is meant."""
    user = inside("users.code", "def f():\n    return g()\n", g=nested(1))
    outer = inside("etamu.outer", "def f():\n    return g()\n", g=user)
    assert outer() == 2


def test_a_module_without_a_name_is_not_ours() -> None:
    names: dict[str, object] = {"user_level": user_level, "__builtins__": __builtins__}
    exec("def f():\n    return user_level()\n", names)
    names.pop("__name__", None)
    assert names["f"]() == 1  # type: ignore[operator]


def test_a_stack_of_ours_alone_ends_at_its_bottom(monkeypatch: pytest.MonkeyPatch) -> None:
    bottom = types.SimpleNamespace(f_globals={"__name__": "etamu.cli"}, f_back=None)
    top = types.SimpleNamespace(f_globals={"__name__": "etamu.fit.assemble"}, f_back=bottom)
    monkeypatch.setattr(caller, "sys", types.SimpleNamespace(_getframe=lambda _: top))
    assert user_level() == 3


@pytest.mark.parametrize("door", ["glm", "GLM"])
def test_a_warning_of_a_fit_points_at_the_line_that_asked(door: str) -> None:
    data = {"y": [1.0, 2.0, 4.0, 3.0, None], "x": [0.0, 1.0, 2.0, 3.0, 4.0]}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if door == "glm":
            line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
            em.glm("y ~ x", data, "gaussian")
        else:
            model = em.GLM("gaussian")
            line = inspect.currentframe().f_lineno + 1  # type: ignore[union-attr]
            model.fit(np.arange(5.0)[:, None], data["y"])
    assert [(entry.filename, entry.lineno) for entry in caught] == [(__file__, line)]
    assert caught[0].category is em.DroppedRowsWarning


def test_the_level_suits_warnings_warn() -> None:
    f = inside(
        "etamu.warns",
        "import warnings\ndef g():\n    warnings.warn('w', UserWarning, stacklevel=user_level())\n"
        "def f():\n    g()\n",
    )
    with pytest.warns(UserWarning, match="w") as caught:
        f()
    assert caught[0].filename == __file__
