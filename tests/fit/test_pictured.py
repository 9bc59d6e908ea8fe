"""The door to pictures: every one by name, the core free of matplotlib, its absence said with the remedy."""

from __future__ import annotations

import builtins
import subprocess
import sys

import pytest

import etamu as em
from etamu import plot
from etamu.fit.pictured import PICTURES, PICTURES_OF_SEVERAL

pytest.importorskip("matplotlib")
DATA = {"y": [0.0, 3.0, 2.0, 5.0, 4.0, 9.0, 8.0, 12.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]}
FIT = em.glm("y ~ x", DATA, family="poisson")
MORE = {"double_lift": (FIT,), "profile": ("x",)}


def test_the_door_opens_every_picture_of_the_room():
    drawn = {name for name, value in vars(plot).items() if callable(value)}
    assert set(PICTURES) | set(PICTURES_OF_SEVERAL) == drawn
    assert all(name in em.Fit.plot.__doc__ for name in PICTURES)
    assert all(name in em.VectorFit.plot.__doc__ for name in PICTURES_OF_SEVERAL)


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_every_picture_is_reached_by_name(name):
    figure = FIT.plot(name, *MORE.get(name, ()))
    assert all(axes.has_data() for axes in figure.axes)


@pytest.mark.parametrize("name", sorted(PICTURES))
def test_without_matplotlib_the_error_names_the_extra(name, monkeypatch):
    real = builtins.__import__

    def absent(module, *rest, **named):
        if module.startswith("matplotlib"):
            raise ImportError(module)
        return real(module, *rest, **named)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(em.NotAvailableError, match=r"pip install 'etamu\[plot\]'"):
        FIT.plot(name, *MORE.get(name, ()))


def test_the_first_is_the_page():
    assert len(FIT.plot().axes) == 4


def test_a_picture_that_does_not_exist_is_refused_by_name():
    with pytest.raises(em.OptionError, match="no picture 'pie'; choose one of 'page', 'residuals'"):
        FIT.plot("pie")


def test_a_fit_read_from_a_file_draws_what_needs_no_rows(tmp_path):
    FIT.save(tmp_path / "fit.json")
    again = em.load(tmp_path / "fit.json")
    assert again.plot("coefficients").axes[0].has_data()
    with pytest.raises(em.NotAvailableError, match="carries none"):
        again.plot()


def test_axes_of_ones_own_are_drawn_into():
    from matplotlib.figure import Figure

    left, right = Figure().subplots(1, 2)
    assert FIT.plot("qq", axes=left) is FIT.plot("calibration", axes=right) is left.figure
    assert left.has_data()
    assert right.has_data()


def test_the_door_is_there_before_matplotlib_is():
    code = "import sys, etamu; assert etamu.Fit.plot; assert 'matplotlib' not in sys.modules; print('ok')"
    answer = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert answer.stdout == "ok\n"
