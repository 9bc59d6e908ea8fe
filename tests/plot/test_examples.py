"""Examples beside the scripts of the pages: ranges, words and colours as they were when looked at."""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from tests.plot.cases import HOUSE, colours, said

pytest.importorskip("matplotlib")
from matplotlib.colors import to_rgb
from PIL import Image

FOLDER = Path(__file__).parents[2] / "docs" / "figures"

PROPORTION = "mean of claims / years, overall = 1"

LOOKS = {
    # By picture: labels of the first axes, and between what its x and y axes must reach.
    "calibration": ("fitted mean of survived", "observed mean of survived", (0, 1), (0, 1)),
    "coefficients": ("mean ratio", "", (0.3, 3), (0, 7)),
    "convergence": ("iteration", "distance in standard errors", (1, 4), (1e-6, 1)),
    "double_lift": ("fitted by 2 over fitted by 1, in the group", PROPORTION, (1, 10), (0.6, 3)),
    "effects": ("region", "added to η", (0, 3), (-0.4, 0.6)),
    "levels": ("age", "claims / years", (0, 11), (0, 3)),
    "leverage": ("leverage h", "standardised Pearson residual", (0, 0.7), (-2, 4)),
    "lift": ("group, from the lowest fitted mean to the highest", PROPORTION, (1, 10), (0, 3)),
    "page": ("linear predictor η", "quantile residual", (-4, 2), (-3, 8)),
    "page_binary": ("linear predictor η", "quantile residual", (-3, 4), (-2, 2)),
    "profile": ("sex[T.male]", "signed root of the deviance", (0, 2.5), (-2.5, 2.5)),
    "qq": ("normal quantile", "quantile residual", (-3, 3), (-3, 3)),
    "residuals": ("linear predictor η", "quantile residual", (-3.5, 1.9), (-3, 8)),
    "rootogram": ("y", "√frequency", (0, 20), (-2, 7)),
    "spread": ("linear predictor η", "√|standardised Pearson residual|", (0, 3), (0, 2)),
    "worm": ("normal quantile", "residual less normal quantile", (-2.5, 2.5), (-1, 1)),
}

TELLS = {
    "convergence": "converged after 4 steps",
    "double_lift": "the data follow model 2 more closely",
    "effects": "means of groups of 834 rows",
    "levels": "By age",
    "qq": "standard deviation 1.0",
    "rootogram": "worst 2",
    "spread": "flat if V(μ) = μ holds",
}

every = pytest.mark.parametrize("name", sorted(LOOKS))


@cache
def drawn(name):
    sys.path.insert(0, str(FOLDER))
    try:
        return __import__(f"plot_{name}").draw()
    finally:
        sys.path.remove(str(FOLDER))


def test_every_script_has_its_example_and_every_example_its_script():
    scripts, pictures = ({path.stem for path in FOLDER.glob(f"plot_*.{kind}")} for kind in ("py", "png"))
    assert scripts == pictures == {f"plot_{name}" for name in LOOKS}


@every
def test_labels_and_ranges(name):
    along, up, x, y = LOOKS[name]
    axes = drawn(name).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (along, up)
    for limits, reach in ((axes.get_xlim(), x), (axes.get_ylim(), y)):
        low, high = sorted(limits)
        assert low <= min(reach)
        assert max(reach) <= high
        if axes.get_yscale() == axes.get_xscale() == "linear":
            assert high - low < 2.2 * (max(reach) - min(reach))


@every
def test_palette(name):
    assert all(colours(axes) <= HOUSE for axes in drawn(name).axes)


@pytest.mark.parametrize("name", sorted(TELLS))
def test_words(name):
    assert TELLS[name] in "\n".join(said(axes) for axes in drawn(name).axes).replace("\n", " ")


@every
def test_no_words_overlap_and_none_are_cut(name):
    figure = drawn(name)
    figure.draw_without_rendering()
    boxes = []
    for axes in figure.axes:
        words = [axes.xaxis.label, axes.yaxis.label, *axes.texts]
        low, high = sorted(axes.get_xlim())
        ticks = zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
        shown = axes.xaxis.get_visible()
        words += [text for at, text in ticks if shown and low <= at <= high and text.get_rotation() == 0.0]
        boxes += [text.get_window_extent() for text in words if text.get_text() and text.get_visible()]
    for place, one in enumerate(boxes):
        assert one.x0 >= -1.0
        assert one.y0 >= -1.0
        assert one.x1 <= figure.bbox.x1 + 1.0
        assert one.y1 <= figure.bbox.y1 + 1.0
        for other in boxes[place + 1 :]:
            shared = (
                min(one.x1, other.x1) - max(one.x0, other.x0),
                min(one.y1, other.y1) - max(one.y0, other.y0),
            )
            assert min(shared) < 2.0


@every
def test_the_example_is_of_that_figure_small_and_in_its_colours(name):
    path = FOLDER / f"plot_{name}.png"
    assert path.stat().st_size < 80_000
    with Image.open(path) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3) / 255.0
        size = np.array(image.size)
    np.testing.assert_allclose(size, 80 * drawn(name).get_size_inches(), atol=1.0)
    used = set().union(*(colours(axes) for axes in drawn(name).axes))
    for colour in used - {"#ffffff"}:
        nearest = np.abs(pixels - np.array(to_rgb(colour))).max(axis=1).min()
        assert nearest < 0.2, colour
