"""The page of four an analyst wants first.

May import: everything below `plot`, in this room the pictures.
Read next: any of the four: `etamu.plot.residuals`, `etamu.plot.qq`, `etamu.plot.leverage`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from etamu.fit.result import Fit
from etamu.plot.calibration import calibration
from etamu.plot.coefficients import coefficients
from etamu.plot.leverage import leverage
from etamu.plot.qq import qq
from etamu.plot.residuals import residuals
from etamu.plot.spread import spread
from etamu.plot.style import INK, blank, settings, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LINES = 15
"""Coefficients that can be read below one another on a quarter of the page."""


def page(fit: Fit, *, seed: int = 0) -> Figure:
    """Draw what to look at first: form, distribution, influence, and what the model says.

    Residuals against fitted values; quantile residuals against the normal law (for quasi families, which
    have no law, the spread of residuals); leverage against residual; and coefficients with their intervals,
    or the calibration of a mean that is a probability.

    Parameters
    ----------
    fit : Fit
    seed : int
        Of the random part of quantile residuals.

    Returns
    -------
    matplotlib Figure

    Raises
    ------
    NotAvailableError
        If the fit carries no rows, or matplotlib is not installed.

    Examples
    --------
    >>> import etamu as em
    >>> data = {"y": [1.0, 3.0, 4.0, 9.0, 7.0, 16.0], "x": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]}
    >>> figure = em.glm("y ~ x", data, family="poisson").plot()
    >>> len(figure.axes)
    4
    """
    figure = blank(11.6, 9.4)
    figure.set_layout_engine("constrained", h_pad=0.11, w_pad=0.09)
    with settings():
        (form, law), (influence, says) = figure.subplots(2, 2)
        name = fit.formula or f"{fit.problem.words.response or 'the response'}, {len(fit.names)} coefficients"
        figure.suptitle(
            short(f"{name}   ({fit.family.name}, {fit.link.name} link)", 100),
            x=0.008,
            ha="left",
            fontsize=13,
            color=INK,
            family="monospace",
        )
    residuals(fit, "fitted", seed=seed, axes=form)
    if fit.family.has_density:
        qq(fit, seed=seed, axes=law)
    else:
        spread(fit, axes=law)
    leverage(fit, axes=influence)
    if fit.family.mean.upper == 1.0:
        calibration(fit, axes=says)
    else:
        coefficients(fit, most=LINES, axes=says)
    return figure
