"""Nested models compare as anova's rows do; whatever is not nested is refused, with the reason."""

from __future__ import annotations

import numpy as np
import pytest

import etamu as em
from tests.fit.test_anova import data


def fits(*rights: str, frame=None, **options) -> list[em.Fit]:
    frame = data() if frame is None else frame
    return [em.glm(f"y ~ {right}", frame, **({"family": "poisson"} | options)) for right in rights]


@pytest.mark.parametrize("test", ["LR", "F"])
def test_nested_models_are_anovas_rows(test: str) -> None:
    family = {"LR": "poisson", "F": "quasipoisson"}[test]
    models = fits("x", "x + g", "x*g", family=family)
    table, rows = em.compare(*models, test=test), models[-1].anova(1, test)
    np.testing.assert_allclose(table["deviance"][1:], rows["deviance"][2:], rtol=1e-9)
    np.testing.assert_allclose(table["p_value"][1:], rows["p_value"][2:], rtol=1e-8)


def test_order_of_arguments_does_not_matter() -> None:
    small, large = fits("x", "x + g")
    one, two = em.compare(small, large), em.compare(large, small)
    assert one.rows == two.rows == ("y ~ x", "y ~ x + g")
    np.testing.assert_array_equal(one["p_value"], two["p_value"])
    assert one["aic"][1] == large.aic


def test_quasi_defaults_to_f_and_has_no_aic() -> None:
    table = em.compare(*fits("x", "x + g", family="quasipoisson"))
    assert "f" in table.columns
    assert "aic" not in table.columns


def test_nesting_is_of_columns_not_of_names() -> None:
    frame = data().assign(b=lambda d: (d["g"] == "b") * 1.0, twice=lambda d: 2 * d["x"] + 1)
    table = em.compare(*fits("twice + b", "x + g", frame=frame))
    assert table["df"][1] == 1.0
    polynomials = em.compare(*fits("x", "poly(x, 3)", frame=frame))
    assert polynomials["df"][1] == 2.0


def test_an_offset_is_a_coefficient_of_one() -> None:
    frame = data().assign(le=lambda d: np.log(d["e"]))
    fixed, free = fits("x + offset(le)", "x + le", frame=frame)
    table = em.compare(fixed, free)
    lr = free.test("le = 1", "lr")
    assert table["deviance"][1] == pytest.approx(lr.statistic, rel=1e-9)


def test_refusals() -> None:
    frame = data()
    one, two = fits("x", "z + g")
    with pytest.raises(em.NotAvailableError, match=r"'y ~ x' is not nested in 'y ~ z \+ g': it lacks x"):
        em.compare(one, two)
    with pytest.raises(em.NotAvailableError, match="offsets differ"):
        em.compare(*fits("x + offset(e)", "x + z"))
    gap = frame.assign(z=frame["z"].where(frame["z"] > -1))
    with pytest.warns(em.DroppedRowsWarning):
        models = fits("x", "x + z", frame=gap)
    with pytest.raises(em.NotAvailableError, match=r"120 of 120 rows .* of 120, not the same ones"):
        em.compare(*models)
    logged = em.glm("log(w) ~ x + g", frame)
    with pytest.raises(em.NotAvailableError, match=r"different responses, w and log\(w\) \(row 0\)"):
        em.compare(em.glm("w ~ x", frame), logged)
    with pytest.raises(em.NotAvailableError, match=r"gamma with log link.*another family or link"):
        em.compare(em.glm("w ~ x", frame), em.glm("w ~ x + g", frame, family="gamma", link="log"))
    with pytest.raises(em.NotAvailableError, match="different variance_weights"):
        em.compare(
            *(em.glm(f"w ~ {r}", frame, **k) for r, k in (("x", {}), ("x + z", {"variance_weights": "e"})))
        )
    with pytest.raises(em.NotAvailableError, match="robust covariance HC0"):
        em.compare(*fits("x", "x + z", covariance="HC0"))
    with pytest.raises(em.NotAvailableError, match="sampling weights"):
        em.compare(*fits("x", "x + z", sampling_weights="e"))
    with pytest.raises(em.OptionError, match="two models or more"):
        em.compare(one)
    with pytest.raises(em.OptionError, match="F test needs"):
        em.compare(*fits("x", "x + z"), test="F")
    with pytest.raises(em.OptionError, match="test='Wald'"):
        em.compare(*fits("x", "x + z"), test="Wald")
    with pytest.raises(em.OptionError, match="argument 2 is a str"):
        em.compare(one, "x + z")
