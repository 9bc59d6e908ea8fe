"""Wald tests of the terms of a model, from no row at all."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests.fit.test_anova import FORMULA, data


def test_terms_have_one_p_value_each() -> None:
    frame = data()
    known = em.glm(FORMULA, frame, family="poisson")
    np.testing.assert_allclose(known.terms()["statistic"], known.anova(2, "Wald")["statistic"], rtol=1e-12)
    unknown = em.glm("w ~ x + g", frame, family="gamma", link="log")
    assert unknown.terms().row("x")["p_value"] == pytest.approx(unknown.p_values[unknown.names.index("x")])
