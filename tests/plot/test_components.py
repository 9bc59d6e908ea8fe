"""The figure shows the model it is given: lines through predictions, markers at data, one pen per group."""

from __future__ import annotations

import builtins
import io

import numpy as np
import pytest

import etamu as em
from etamu import datasets, plot
from etamu.plot.grid import picture
from etamu.plot.style import PENS

pytest.importorskip("matplotlib")

BUDWORMS = datasets.budworms().columns
MOTHS = em.glm("dead ~ sex + log2_dose", BUDWORMS, family="binomial", trials="moths")
SHIPS = em.glm(
    "incidents ~ type + built + period", datasets.ships().columns, family="poisson", exposure="months"
)


def test_lines_are_predictions_and_markers_are_data():
    shown = picture(MOTHS, None, None, 0.95)
    assert (shown.covariate, shown.by, shown.response) == ("log2_dose", "sex", "dead / moths")
    female, male = shown.curves
    grid = {"sex": ["female"] * 201, "log2_dose": np.linspace(0, 5, 201)}
    np.testing.assert_allclose(female.eta.middle, MOTHS.predict(grid, "link", trials=np.ones(201)))
    np.testing.assert_array_equal(shown.y[male.rows], BUDWORMS["dead"][:6] / 20)
    assert (male.mean.low < male.mean.middle).all()
    assert (male.mean.middle < male.mean.high).all()


def test_an_exposure_turns_counts_into_rates():
    shown = picture(SHIPS, "built", "type", 0.95)
    ships = datasets.ships().columns
    np.testing.assert_allclose(shown.y, ships["incidents"] / ships["months"])
    first = SHIPS.coef[0] + SHIPS.coef[list(SHIPS.names).index("period[T.1975-79]")]
    np.testing.assert_allclose(shown.curves[0].eta.middle[0], first)
    assert shown.levels == ("1960-64", "1965-69", "1970-74", "1975-79")
    assert np.corrcoef(shown.sizes, ships["months"])[0, 1] > 0.9


def test_the_figure_has_three_panels_with_the_words_of_the_book():
    figure = plot.components(MOTHS)
    titles = [axes.get_title(loc="left").strip() for axes in figure.axes]
    assert titles == ["1  Linear predictor", "2  Mean", "3  Variance"]
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert texts == [
        "η = x′β",
        "μ = g⁻¹(η) = 1 / (1 + exp(−η))   (logit link)",
        "V(μ) = μ (1 − μ)   (binomial)",
    ]


@pytest.mark.parametrize(
    ("formula", "family", "options"),
    [
        ("y ~ x", "gaussian", {}),
        ("y ~ g", "poisson", {"exposure": np.arange(1.0, 13.0)}),
        ("y ~ x * b", "quasipoisson", {"offset": "o"}),
        ("y ~ C(n) + x", "gamma", {"link": "log"}),
        ("y ~ log(x) + offset(o)", "inverse_gaussian", {"link": "log", "variance_weights": "x"}),
        ("y ~ x + g", "gaussian", {"offset": "o"}),
    ],
)
def test_every_kind_of_column_can_be_drawn(formula, family, options):
    rows = np.arange(12)
    data = {
        "y": np.array([3.0, 1.0, 4.0, 1.0, 5.0, 9.0, 2.0, 6.0, 5.0, 3.0, 5.0, 8.0]),
        "x": rows + 1.0,
        "g": np.array(list("abcabcabcabc")),
        "b": rows % 2 == 0,
        "n": rows % 3,
        "o": np.linspace(0, 1, 12),
    }
    stream = io.BytesIO()
    plot.components(em.glm(formula, data, family=family, **options)).savefig(stream)
    assert stream.getvalue().startswith(b"\x89PNG")


def test_rows_with_missing_values_are_left_out():
    data = {"y": [1.0, 2.0, 3.0, 5.0], "x": [0.0, np.nan, 1.0, 2.0]}
    with pytest.warns(em.DroppedRowsWarning):
        fit = em.glm("y ~ x", data)
    np.testing.assert_array_equal(picture(fit, None, None, 0.95).x, [0.0, 1.0, 2.0])


def test_a_column_the_formula_does_not_use_is_refused_by_name():
    with pytest.raises(em.FormulaError, match="does not use 'dose'; choose one of sex, log2_dose"):
        plot.components(MOTHS, covariate="dose")


@pytest.mark.parametrize(("by", "what"), [("log2_dose", "numbers, not levels"), ("g", "8 levels")])
def test_more_lines_than_can_be_told_apart_are_refused(by, what):
    fit = MOTHS
    if by == "g":
        data = {"y": np.arange(16.0), "x": np.arange(16.0) ** 2, "g": np.array(list("abcdefgh" * 2))}
        fit = em.glm("y ~ g + x", data)
        assert picture(fit, None, None, 0.95).by == ""
    with pytest.raises(em.OptionError, match=what):
        plot.components(fit, by=by)


def test_by_nothing_is_one_line():
    assert len(picture(MOTHS, None, "", 0.95).curves) == 1


def test_a_model_without_covariate_has_nothing_to_draw():
    with pytest.raises(em.NotAvailableError, match="no covariate"):
        plot.components(em.glm("dead ~ 1", BUDWORMS, family="poisson"))


def test_without_matplotlib_the_error_names_the_extra(monkeypatch):
    real = builtins.__import__

    def absent(name, *rest, **named):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(em.NotAvailableError, match=r"etamu\[plot\]"):
        plot.components(MOTHS)


def test_neighbouring_pens_differ_in_grey_too():
    grey = [
        np.dot([int(pen.colour[i : i + 2], 16) for i in (1, 3, 5)], [0.299, 0.587, 0.114]) for pen in PENS
    ]
    assert np.abs(np.diff(grey)).min() > 25
    assert len({pen.marker for pen in PENS}) == len({str(pen.dash) for pen in PENS}) == len(PENS)
