"""Lists of names stay readable whatever their length."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import etamu as em
from etamu._base.listing import listed


def test_a_list_that_fits_is_whole_and_a_longer_one_is_counted() -> None:
    assert listed([]) == ""
    assert listed(["a", "b"], 2) == "a, b"
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"


def test_warnings_about_thousands_of_columns_can_be_read() -> None:
    rng = np.random.default_rng(1)
    with pytest.warns(em.AliasWarning, match="and 51 more") as said:
        fit = em.GLM("gaussian").fit(rng.normal(size=(30, 100)), rng.normal(size=30))
    assert len(str(said[0].message)) < 300
    assert len(fit.aliased) == 71


def test_warnings_about_thousands_of_levels_can_be_read() -> None:
    levels = [f"l{i}" for i in range(1000)]
    data = pd.DataFrame({"g": pd.Categorical(["l0", "l1"] * 5, categories=levels), "y": range(10)})
    with pytest.warns(em.DroppedLevelsWarning, match="and 978 more"):
        em.glm("y ~ g", data, family="poisson")
