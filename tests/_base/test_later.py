"""What is loaded later is what it stands for."""

import inspect

import pytest

import etamu as em
from etamu._base.later import later


def test_it_calls_what_it_stands_for() -> None:
    assert later("math", "hypot")(3.0, 4.0) == 5.0
    with pytest.raises(AttributeError):
        later("math", "nosuch")()


def test_the_package_offers_what_it_has_not_loaded() -> None:
    assert {"compare", "load", "check_family", "glm"} <= set(dir(em))
    assert inspect.isfunction(em.compare)
    assert em.compare is em.compare
    with pytest.raises(AttributeError, match="module 'etamu' has no attribute 'nosuch'"):
        _ = em.nosuch  # type: ignore[attr-defined]
