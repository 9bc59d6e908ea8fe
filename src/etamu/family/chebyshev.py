"""A smooth function of one variable asked at many places: polynomials that are checked as they are made.

A series that takes microseconds at one place takes seconds at a million. Where the places lie dense on a
line, the function is computed at a few nodes per panel and interpolated by Chebyshev polynomials; a panel is
believed only if its polynomial is right between the nodes, else it is halved, and where few places are left
they are computed one by one.

May import: numpy, _base.
Read next: `etamu.family.conway`, whose moments these are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from etamu._base.types import Array, Mask

WIDTH = 0.5
"""Width of a panel before it is halved; panels lie on a fixed grid, whatever the places."""
NODES = 20
BETWEEN = 5
"""Places between the nodes at which a panel is checked."""
WORTH = 2
"""A panel pays where it has so many times more places than computations."""
DEEPEST = 8


@cache
def _rule() -> tuple[Array, Array]:
    """Return nodes and checks on [-1, 1], and what turns values at the nodes into coefficients."""
    angles = np.pi * (np.arange(NODES) + 0.5) / NODES
    checks = np.cos(np.pi * (np.arange(BETWEEN) * (NODES // BETWEEN) + 1.0) / NODES)
    transform = 2.0 / NODES * np.cos(np.outer(np.arange(NODES), angles))
    transform[0] *= 0.5
    return np.concatenate([np.cos(angles), checks]), transform


def along_line(function: Callable[[Array], Array], x: Array, agreement: Array) -> Array:
    """Compute a smooth function (q, n) at n places of a line, by polynomials where that is cheaper.

    Parameters
    ----------
    function : callable
        From places (n,) to values (q, n), each place by itself.
    x : array (n,)
    agreement : array (q,)
        Share of the largest value in a panel by which polynomial and function may differ there.

    Examples
    --------
    >>> asked = []
    >>> def wave(t):
    ...     asked.append(len(t))
    ...     return np.stack([np.sin(t), np.exp(t)])
    >>> x = np.linspace(0.0, 1.0, 10_000)
    >>> found = along_line(wave, x, np.full(2, 1e-13))
    >>> bool(np.allclose(found, [np.sin(x), np.exp(x)], rtol=1e-11)), sum(asked) < 200
    (True, True)
    """
    order = np.argsort(x, kind="stable")
    line, out, width = x[order], np.empty((len(agreement), len(x))), WIDTH
    panels = _occupied(line, width, np.arange(len(x)))
    for depth in range(DEEPEST + 1):
        most = WORTH * (NODES + BETWEEN) if depth < DEEPEST else len(x)
        few = [rows for rows in panels if len(rows) <= most]
        if few:
            places = np.concatenate(few)
            out[:, order[places]] = function(line[places])
        dense = [rows for rows in panels if len(rows) > most]
        if not dense:
            break
        starts = np.array([np.floor(line[rows[0]] / width) * width for rows in dense])
        found, good = _polynomials(function, starts, width, agreement)
        for panel in np.flatnonzero(good):
            rows = dense[panel]
            at = 2.0 * (line[rows] - starts[panel]) / width - 1.0
            out[:, order[rows]] = found[:, panel] @ _chebyshev(at)
        width *= 0.5
        left = [dense[panel] for panel in np.flatnonzero(~good)]
        panels = [part for rows in left for part in _occupied(line, width, rows)]
    return out


def _chebyshev(x: Array) -> Array:
    """Return the first polynomials at places on [-1, 1], (nodes, places)."""
    return np.cos(np.outer(np.arange(NODES), np.arccos(x.clip(-1.0, 1.0))))


def _occupied(x: Array, width: float, rows: NDArray[np.intp]) -> list[NDArray[np.intp]]:
    """Split rows, in order of x, by the panels they lie in."""
    panel = np.floor(x[rows] / width)
    return np.split(rows, np.flatnonzero(np.diff(panel)) + 1)


def _polynomials(
    function: Callable[[Array], Array], starts: Array, width: float, agreement: Array
) -> tuple[Array, Mask]:
    """Return the coefficients of every panel, (q, panels, nodes), and which polynomials are right between."""
    where, transform = _rule()
    places = starts[:, None] + 0.5 * width * (1.0 + where)
    values = function(places.ravel()).reshape(len(agreement), *places.shape)
    found = values[:, :, :NODES] @ transform.T
    between = found @ _chebyshev(where[NODES:])
    size = np.abs(values).max(axis=2, initial=0.0)[:, :, None]
    apart = np.abs(between - values[:, :, NODES:])
    return found, np.all((apart <= agreement[:, None, None] * size) & np.isfinite(between), axis=(0, 2))
