"""One smooth function of one number for very many rows: Chebyshev panels, split until they agree with it.

May import: `etamu._base`, numpy.
Read next: `etamu.family.tweedie`, whose density costs a hundred exponentials per row without this.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from etamu._base.facts import dataclass
from etamu._base.types import Array

_DEGREE = 20
_PANELS_AT_FIRST = 8


@dataclass(frozen=True, slots=True)
class Table:
    """A piecewise polynomial: edges, (panels + 1,), and Chebyshev coefficients, (degree + 1, panels)."""

    edges: Array
    coefficients: Array

    @property
    def narrowest(self) -> float:
        """The width of the narrowest panel: how fast the function changes at most."""
        return float(np.min(np.diff(self.edges)))

    def __call__(self, x: Array) -> Array:
        """Evaluate at x by Clenshaw's recurrence, x within the edges."""
        panel = np.clip(np.searchsorted(self.edges, x, side="right") - 1, 0, self.edges.size - 2)
        left, right = self.edges[panel], self.edges[panel + 1]
        t = 2.0 * ((x - left) / (right - left)) - 1.0
        last = np.zeros_like(t)
        before = np.zeros_like(t)
        for row in self.coefficients[:0:-1]:
            last, before = row[panel] + 2.0 * t * last - before, last
        return np.asarray(self.coefficients[0][panel] + t * last - before)


def gathered(places: Array, shares: Array, spacing: float) -> tuple[Array, Array]:
    """Move shares of a sum to a grid: sum c_i f(x_i + t) as sum C_g f(x_g + t), for a smooth f and any t.

    Each share goes to the six nodes around its place, by the weights of Lagrange's interpolation: what is
    left out is of the order of the sixth power of the spacing. Nodes end three spacings beyond the places.

    Examples
    --------
    >>> x, ones = np.linspace(0.0, 3.0, 1000), np.ones(1000)
    >>> nodes, shares = gathered(x, ones, 0.1)
    >>> bool(abs(shares @ np.sin(nodes + 0.7) - np.sum(np.sin(x + 0.7))) < 1e-5)
    True
    """
    first = float(places.min()) - 2.5 * spacing
    at = (places - first) / spacing
    left = np.floor(at).astype(np.intp)
    s = at - left
    count = int(left.max()) + 4
    total = np.zeros(count)
    offsets = range(-2, 4)
    for k in offsets:
        weight = shares
        for j in offsets:
            if j != k:
                weight = weight * ((s - j) / (k - j))
        total += np.bincount(left + k, weights=weight, minlength=count)
    return np.asarray(first + spacing * np.arange(count)), np.asarray(total)


def tabulate(
    function: Callable[[Array], Array],
    lower: float,
    upper: float,
    budget: int,
    tolerance: float = 2e-14,
    panels: int = _PANELS_AT_FIRST,
) -> Table | None:
    """Build a table of a function on [lower, upper]; None if that takes more than `budget` evaluations.

    None also where the function is no number.

    A panel is accepted when the last three of its 21 coefficients are below `tolerance` times the largest, or
    times 1.

    Examples
    --------
    >>> table = tabulate(np.sin, 0.0, 10.0, 1000)
    >>> bool(np.abs(table(np.array([3.0])) - np.sin(3.0))[0] < 1e-14)
    True
    """
    k = np.arange(_DEGREE + 1)
    nodes = np.cos(np.pi * (k + 0.5) / (_DEGREE + 1))
    transform = np.cos(np.outer(k, np.pi * (k + 0.5) / (_DEGREE + 1))) * (2.0 / (_DEGREE + 1))
    transform[0] *= 0.5
    edges = np.linspace(lower, upper, panels + 1)
    left, right = edges[:-1], edges[1:]
    done: list[tuple[Array, Array]] = []
    while left.size:
        budget -= left.size * nodes.size
        if budget < 0:
            return None
        x = 0.5 * (left + right) + 0.5 * (right - left) * nodes[:, None]
        values = function(x.ravel()).reshape(x.shape)
        if np.any(np.isnan(values)):
            return None
        coefficients = transform @ values
        scale = np.maximum(np.max(np.abs(coefficients), axis=0), 1.0)
        good = np.max(np.abs(coefficients[-3:]), axis=0) <= tolerance * scale
        done.append((left[good], coefficients[:, good]))
        middle = 0.5 * (left + right)[~good]
        left, right = np.concatenate([left[~good], middle]), np.concatenate([middle, right[~good]])
    starts = np.concatenate([panels for panels, _ in done])
    order = np.argsort(starts)
    return Table(np.append(starts[order], upper), np.concatenate([c for _, c in done], axis=1)[:, order])
