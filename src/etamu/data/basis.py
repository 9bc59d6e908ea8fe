"""Stateful transforms of a formula, R's `poly`, `bs`, `ns`, `scale`: settled once, replayed exactly.

May import: numpy, etamu._base, etamu.data.arguments, etamu.data.splines, etamu.data.tabulate.
Read next: `etamu.data.splines` for the numbers, `etamu.data.schema` for where the state is kept.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, ClassVar

import numpy as np

from etamu._base.errors import DataError, FormulaError
from etamu._base.facts import dataclass
from etamu._base.types import Array
from etamu.data import arguments, splines, tabulate

Row = tuple[float, ...]


class Basis(ABC):
    """Columns made from one variable by a rule that no longer looks at the data.

    Frozen and of plain numbers: it compares, hashes, pickles, and goes through JSON unchanged. Row i of
    `apply(x)` depends on x[i] alone, to the last bit.
    """

    __slots__ = ()
    kind: ClassVar[str]

    @property
    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """What follows the term in the columns' names; empty for a single column named as the term."""

    @abstractmethod
    def columns(self, x: Array) -> Array:
        """Evaluate at x without infinities, shape (k, n): one contiguous row per column of the basis."""

    def apply(self, x: Array) -> Array:
        """Evaluate the basis at x.

        Parameters
        ----------
        x : (n,) values; NaN gives a row of NaN.

        Returns
        -------
        (n, k) float64, columns contiguous.

        Raises
        ------
        DataError
            If a value is infinite.
        """
        x = np.asarray(x, dtype=np.float64)
        _refuse(self.kind, x, np.isinf(x), "row")
        return self.columns(x).T

    def state(self) -> dict[str, Any]:
        """Return the state as plain JSON data; `restore` is the inverse."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}  # type: ignore[arg-type]
        return {"kind": self.kind, **{name: _thawed(value) for name, value in values.items()}}


@dataclass(frozen=True, slots=True)
class Poly(Basis):
    """Orthonormal polynomials by their three-term recurrence, the constant left out.

    With t = (x - centre) / spread: P_0 = 1, P_{k+1} = (t - alpha_k) P_k - (norm2_k / norm2_{k-1}) P_{k-1};
    column k is P_k / sqrt(norm2_k), norm2_k the sum of squares of P_k over the settling data.

    R's `poly` has the same columns; its alpha_k is centre + spread * alpha_k here, where centring first keeps
    the digits of an x far from zero. `spread` is a power of two, so that dividing by it rounds nothing.
    """

    kind: ClassVar[str] = "poly"
    centre: float
    spread: float
    alpha: Row
    norm2: Row

    @property
    def labels(self) -> tuple[str, ...]:
        """The degrees."""
        return _counted(len(self.alpha))

    def columns(self, x: Array) -> Array:
        """Run the recurrence."""
        t = (x - self.centre) / self.spread
        out = np.empty((len(self.alpha), len(x)))
        before, current, ratio = np.zeros_like(t), np.ones_like(t), 0.0
        for degree, alpha in enumerate(self.alpha):
            before, current = current, (t - alpha) * current - ratio * before
            ratio = self.norm2[degree + 1] / self.norm2[degree]
            out[degree] = current / np.sqrt(self.norm2[degree + 1])
        return out


@dataclass(frozen=True, slots=True)
class RawPoly(Basis):
    """The powers x, x^2, ..., x^degree."""

    kind: ClassVar[str] = "raw poly"
    degree: int

    @property
    def labels(self) -> tuple[str, ...]:
        """The degrees."""
        return _counted(self.degree)

    def columns(self, x: Array) -> Array:
        """Multiply up: unlike `power`, products round the same in every lane."""
        return np.cumprod(np.broadcast_to(x, (self.degree, len(x))), axis=0, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class BSpline(Basis):
    """B-splines on augmented knots; the last `width` of them.

    Beyond the boundary knots the end polynomials go on, as R's `predict` (which warns).
    """

    kind: ClassVar[str] = "bs"
    degree: int
    knots: Row
    width: int

    @property
    def labels(self) -> tuple[str, ...]:
        """The running numbers."""
        return _counted(self.width)

    def columns(self, x: Array) -> Array:
        """Spread the local values over the columns."""
        return splines.dense_values(np.array(self.knots), self.degree, x)[-self.width :]


@dataclass(frozen=True, slots=True)
class Natural(Basis):
    """Combinations of cubic B-splines that are linear beyond the boundary knots: `ns`, and the cardinal `cr`.

    `weights` has one row per B-spline and one column per column of the basis.
    """

    kind: ClassVar[str] = "ns"
    knots: Row
    weights: tuple[Row, ...]

    @property
    def labels(self) -> tuple[str, ...]:
        """The running numbers."""
        return _counted(len(self.weights[0]))

    def columns(self, x: Array) -> Array:
        """Evaluate within the boundary, then go on along the tangents."""
        knots, weights = np.array(self.knots), np.array(self.weights)
        first, values = splines.local_values(knots, 3, np.clip(x, knots[0], knots[-1]))
        out = np.zeros((weights.shape[1], len(x)))
        for offset, value in enumerate(values):  # no matrix product: its rounding depends on the neighbours
            for column, weight in enumerate(weights.T):
                out[column] += value * weight[first + offset]
        slopes = weights.T @ splines.derivatives(knots, 3, knots[[0, -1]], 1)
        for slope, end, beyond in zip(slopes.T, knots[[0, -1]], (x < knots[0], x > knots[-1]), strict=True):
            out[:, beyond] += slope[:, None] * (x[beyond] - end)
        return out


@dataclass(frozen=True, slots=True)
class Scale(Basis):
    """One column, (x - shift) / width: `scale` and `center`."""

    kind: ClassVar[str] = "scale"
    shift: float
    width: float

    @property
    def labels(self) -> tuple[str, ...]:
        """None: the column bears the term's name."""
        return ()

    def columns(self, x: Array) -> Array:
        """Shift, then divide."""
        return ((x - self.shift) / self.width)[None, :]


KINDS: dict[str, type[Poly | RawPoly | BSpline | Natural | Scale]] = {
    kind.kind: kind for kind in (Poly, RawPoly, BSpline, Natural, Scale)
}
"""Every kind of basis by the word its state carries."""


def restore(state: Mapping[str, Any]) -> Basis:
    """Make the basis whose `state()` this is.

    Examples
    --------
    >>> basis = settle("center", np.array([1.0, 2.0, 6.0]), (), {})
    >>> basis.state()
    {'kind': 'scale', 'shift': 3.0, 'width': 1.0}
    >>> restore(basis.state()) == basis
    True
    """
    if state.get("kind") not in KINDS:
        raise DataError(f"a saved basis has the kind {state.get('kind')!r}; known are {', '.join(KINDS)}")
    return KINDS[state["kind"]](**{name: _frozen(value) for name, value in state.items() if name != "kind"})


def settle(name: str, x: Array, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Basis:
    """Fix a stateful transform on the present values of its column.

    Parameters
    ----------
    name : a key of `STATEFUL`.
    x : (n,) the values that are not missing.
    args, kwargs : what the formula gives after x, by position and by name.

    Raises
    ------
    FormulaError
        If the transform does not exist, or an argument is unknown, given twice or out of range.
    DataError
        If x cannot carry the basis: not finite, constant, or too few distinct values.

    Examples
    --------
    >>> basis = settle("bs", np.array([0.0, 1, 2, 3, 4]), (), {"df": 4})
    >>> basis.labels
    ('1', '2', '3', '4')
    >>> basis.apply(np.array([0.0, 4.0])).tolist()
    [[0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]
    """
    if name not in STATEFUL:
        raise FormulaError(f"there is no stateful transform {name!r}; there are {', '.join(STATEFUL)}")
    values = np.asarray(x, dtype=np.float64)
    if not len(values):
        raise DataError(f"{name}(x): x has no present value to settle on; leave the term out")
    _refuse(name, values, ~np.isfinite(values), "present value")
    settler = STATEFUL[name]
    given = arguments.given(name, settler.parameters, args, kwargs)
    return settler.make(name, values, **{word: value for word, value in given.items() if value is not None})


def _poly(name: str, x: Array, degree: Any = 1, raw: Any = False) -> Basis:
    degree = arguments.whole(name, "degree", degree, least=1)
    if arguments.flag(name, "raw", raw):
        if degree > len(x):
            raise DataError(f"{name}(x, degree={degree}): x has {len(x)} values; use degree <= {len(x)}")
        return RawPoly(degree)
    distinct = len(tabulate.distinct(x))
    if degree >= distinct:
        raise DataError(
            f"{name}(x, degree={degree}): x has {distinct} distinct value{'s' * (distinct > 1)};"
            + (f" use degree <= {distinct - 1}" if distinct > 1 else " leave the term out")
        )
    centre = float(np.mean(x))
    spread = 2.0 ** float(np.frexp(np.max(np.abs(x - centre)))[1])
    t = (x - centre) / spread
    alpha: list[float] = []
    norm2 = [float(len(x))]
    before, current, ratio = np.zeros_like(t), np.ones_like(t), 0.0
    for _ in range(degree):
        alpha.append(float(np.sum(t * current * current)) / norm2[-1])
        before, current = current, (t - alpha[-1]) * current - ratio * before
        norm2.append(float(np.sum(current * current)))
        ratio = norm2[-1] / norm2[-2]
    basis = Poly(centre, spread, tuple(alpha), tuple(norm2))
    columns = basis.columns(x)
    if not np.max(np.abs(columns @ columns.T - np.eye(degree))) <= 1e-6:  # NaN too
        raise DataError(
            f"{name}(x, degree={degree}): float64 cannot hold this degree in x; use a smaller one"
        )
    return basis


def _bs(
    name: str,
    x: Array,
    df: Any = None,
    knots: Any = None,
    degree: Any = 3,
    intercept: Any = False,
    boundary_knots: Any = None,
) -> Basis:
    degree = arguments.whole(name, "degree", degree, least=1)
    intercept = arguments.flag(name, "intercept", intercept)
    full = _knots(name, x, df, knots, boundary_knots, degree=degree, least=degree + intercept)
    return BSpline(degree, _plain(full), len(full) - degree - 1 - (not intercept))


def _ns(
    name: str, x: Array, df: Any = None, knots: Any = None, intercept: Any = False, boundary_knots: Any = None
) -> Basis:
    intercept = arguments.flag(name, "intercept", intercept)
    full = _knots(name, x, df, knots, boundary_knots, degree=3, least=1 + intercept)
    return Natural(_plain(full), tuple(map(_plain, splines.natural_map(full, intercept))))


def _cr(name: str, x: Array, df: Any = None, knots: Any = None, boundary_knots: Any = None) -> Basis:
    """Formulaic's and mgcv's: quantiles of the distinct values, and one column per knot, which sum to one."""
    full = _knots(name, tabulate.distinct(x), df, knots, boundary_knots, degree=3, least=2)
    if len(np.unique(full)) < len(full) - 6:
        raise FormulaError(f"{name}: knots= has a value twice; give each knot once")
    return Natural(_plain(full), tuple(map(_plain, splines.cardinal_map(full))))


def _scale(name: str, x: Array, center: Any = True, scale: Any = True) -> Basis:
    """R's: subtract the mean or the number given, divide by the root of the sum of squares over n - 1."""
    shift = arguments.amount(name, "center", center, float(np.mean(x)), 0.0)
    with np.errstate(over="ignore"):
        spread = float(np.sqrt(np.sum((x - shift) ** 2) / max(1, len(x) - 1)))
    width = arguments.amount(name, "scale", scale, spread, 1.0)
    constant = scale is True and center is True and x.min() == x.max()  # the rounded mean may differ from it
    if constant or not 0 < abs(width) < np.inf:
        raise DataError(
            f"{name}(x): x has the spread {0.0 if constant else width:g} over {len(x)} values,"
            " nothing to divide by; leave the term out or use center(x)"
        )
    return Scale(shift, width)


def _center(name: str, x: Array) -> Basis:
    return Scale(float(np.mean(x)), 1.0)


@dataclass(frozen=True, slots=True)
class Settler:
    """How one transform is settled: the parameters after x in positional order, and the function."""

    parameters: tuple[str, ...]
    make: Callable[..., Basis]


_NATURAL = Settler(("df", "knots", "intercept", "boundary_knots"), _ns)

STATEFUL: dict[str, Settler] = {
    "poly": Settler(("degree", "raw"), _poly),
    "bs": Settler(("df", "knots", "degree", "intercept", "boundary_knots"), _bs),
    "ns": _NATURAL,
    "cs": _NATURAL,
    "cr": Settler(("df", "knots", "boundary_knots"), _cr),
    "scale": Settler(("center", "scale"), _scale),
    "center": Settler((), _center),
}
"""The stateful transforms a formula may use."""


def _knots(
    name: str, x: Array, df: Any, knots: Any, boundary_knots: Any, *, degree: int, least: int
) -> Array:
    """Choose the augmented knots from df or knots; `least` is the df without interior knots."""
    if df is not None and knots is not None:
        raise FormulaError(
            f"{name}: df={df} and knots={knots} are both given; df only places knots, give one of them"
        )
    low, high = arguments.boundary(name, x, boundary_knots)
    if df is not None:
        df = arguments.whole(name, "df", df, least=least)
        if df - least > degree * len(x):  # more than `degree` to a place, wherever they fall
            raise DataError(
                f"{name}: df={df} asks for more knots than {len(x)} values can part; ask for less"
            )
        interior = splines.quantile_knots(name, x, df - least, (low, high))
    else:
        interior = np.sort(arguments.numbers(name, "knots", () if knots is None else knots))
        for knot in interior[(interior <= low) | (interior >= high)]:
            raise FormulaError(
                f"{name}: knots= has {knot:g}, which is not between the boundary knots {low:g} and {high:g};"
                " drop it or widen boundary_knots="
            )
    places, times = np.unique(interior, return_counts=True)
    for place in places[times > degree]:
        raise DataError(
            f"{name}: more than {degree} interior knots fall on {place:g}, where the spline would break;"
            " ask for a smaller df or give distinct knots="
        )
    return splines.augmented(interior, (low, high), degree)


def _refuse(name: str, x: Array, wrong: Any, place: str) -> None:
    """Name the first value that no basis can be evaluated at."""
    for at in np.flatnonzero(wrong)[:1]:
        raise DataError(f"{name}: x is {x[at]} at {place} {at}; drop the row or put a finite value")


def _counted(width: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, width + 1))


def _plain(values: Iterable[float]) -> Row:
    return tuple(float(value) for value in values)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _thawed(value: Any) -> Any:
    return list(map(_thawed, value)) if isinstance(value, tuple) else value
