"""The page of four: form, distribution, influence, and what the model says, for every kind of model."""

from __future__ import annotations

import io

import pytest

import etamu as em
from etamu import plot
from tests.plot.cases import ANSWERS, COUNTS, HOUSE, MOTHS, colours, counts

pytest.importorskip("matplotlib")


def heads(figure):
    return [axes.get_title(loc="left").strip() for axes in figure.axes]


@pytest.mark.parametrize(
    ("fit", "second", "fourth"),
    [
        (COUNTS, "Is the distribution right?", "Coefficients"),
        (ANSWERS, "Is the distribution right?", "Calibration"),
        (MOTHS, "Is the distribution right?", "Calibration"),
        (em.glm("y ~ x", counts(), family="quasipoisson"), "Is the variance right?", "Coefficients"),
        (em.glm("other ~ x", counts()), "Is the distribution right?", "Coefficients"),
        (em.glm("y ~ 1", counts(), family="poisson"), "Is the distribution right?", "Coefficients"),
    ],
    ids=["counts", "yes or no", "moths", "quasi", "gaussian", "constant"],
)
def test_the_four_suit_the_model(fit, second, fourth):
    figure = plot.page(fit)
    assert heads(figure) == ["Residuals and fitted", second, "Who holds the fit?", fourth]
    assert all(colours(axes) <= HOUSE for axes in figure.axes)
    stream = io.BytesIO()
    figure.savefig(stream, dpi=40)
    assert stream.getvalue().startswith(b"\x89PNG")


def test_the_page_says_of_which_model_it_is():
    assert plot.page(COUNTS).get_suptitle() == "y ~ x + g   (poisson, log link)"


def test_no_two_panels_overlap():
    figure = plot.page(ANSWERS)
    figure.draw_without_rendering()
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    for place, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[place + 1 :])
        assert one.y0 >= 0.0
        assert one.x1 <= figure.bbox.width + 1.0


def test_a_model_of_arrays_has_a_page():
    data = counts()
    fit = em.GLM(family="poisson").fit(data["x"][:, None], data["y"])
    assert plot.page(fit).get_suptitle().endswith("2 coefficients   (poisson, log link)")
