"""Units of several predictors as straight-line programs: arrays of symbols, one row standing for all.

A unit of k predictors computes with (n, k) arrays: it takes columns, joins them, sums over them. Recorded on
a single row, every entry of such an array is a symbol of its own, and what is left is arithmetic.

May import: _base, family.program, family.trace, numpy.
Read next: `etamu.family.program`, which assembles what is recorded; `etamu.fused`, which runs it.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from itertools import accumulate, combinations_with_replacement
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from etamu._base.kernel import kernel
from etamu._base.types import Array
from etamu.family.program import Wanted, assemble, handed_over
from etamu.family.trace import Recorder

REMEMBERED = 64
MOST = 12
"""With more predictors a program has a thousand outputs, and NumPy's arrays are large enough to be fast."""

Objects = NDArray[np.object_]


def _each(function: Callable[..., Any], *operands: Any) -> Symbols:
    """Apply a function of symbols entry by entry."""
    entries = [each.entries if isinstance(each, Symbols) else each for each in operands]
    return Symbols(np.frompyfunc(function, len(entries), 1)(*entries))


def _operator(function: Callable[[Any, Any], Any], *, swapped: bool = False) -> Callable[[Any, Any], Symbols]:
    def method(self: Symbols, other: Any) -> Symbols:
        return _each(function, other, self) if swapped else _each(function, self, other)

    return method


@final
class Symbols:
    """An array of symbols and numbers, of one row."""

    __slots__ = ("entries",)
    __array_ufunc__ = None
    """NumPy's arrays give way to the operators below; NumPy's functions refuse."""

    def __init__(self, entries: Objects) -> None:
        if not isinstance(entries, np.ndarray):
            raise TypeError("a single symbol has lost its row: it cannot be recorded")
        self.entries = entries

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, with one row."""
        return self.entries.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.entries.ndim

    @property
    def dtype(self) -> np.dtype[np.float64]:
        """What every entry stands for."""
        return np.dtype(np.float64)

    def __getitem__(self, index: Any) -> Symbols:
        return Symbols(self.entries[index])

    def __bool__(self) -> bool:
        raise TypeError("a branch depends on data: it cannot be recorded")

    def __len__(self) -> int:
        raise TypeError("the number of rows is not known while recording")

    def __iter__(self) -> Any:
        raise TypeError("elements are not known while recording")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("numpy was called on symbols instead of the namespace")

    def __neg__(self) -> Symbols:
        return _each(operator.neg, self)

    def __abs__(self) -> Symbols:
        return _each(operator.abs, self)

    def __invert__(self) -> Symbols:
        return _each(operator.invert, self)

    __hash__ = None  # type: ignore[assignment]
    __add__, __radd__ = _operator(operator.add), _operator(operator.add, swapped=True)
    __sub__, __rsub__ = _operator(operator.sub), _operator(operator.sub, swapped=True)
    __mul__, __rmul__ = _operator(operator.mul), _operator(operator.mul, swapped=True)
    __truediv__, __rtruediv__ = _operator(operator.truediv), _operator(operator.truediv, swapped=True)
    __pow__, __rpow__ = _operator(operator.pow), _operator(operator.pow, swapped=True)
    __lt__, __le__ = _operator(operator.lt), _operator(operator.le)
    __gt__, __ge__ = _operator(operator.gt), _operator(operator.ge)
    __eq__, __ne__ = _operator(operator.eq), _operator(operator.ne)  # type: ignore[assignment]
    __and__, __or__ = _operator(operator.and_), _operator(operator.or_)


def _joint(name: str) -> Callable[..., Symbols]:
    def function(self: Several, *operands: Any) -> Symbols:
        return _each(functools.partial(Recorder.whole[name], self.recorder), *operands)

    return function


@final
class Several:
    """The namespace: functions of one entry are the recorder's, those that join entries stand here."""

    whole: ClassVar[dict[str, Callable[..., Any]]] = {name: _joint(name) for name in Recorder.whole}

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.recorder, name)
        return functools.partial(_each, found) if callable(found) else found

    def arange(self, stop: int, *, dtype: Any = None) -> Array:
        """Count from 0."""
        return np.arange(stop, dtype=dtype)

    def astype(self, x: Symbols, _dtype: Any) -> Symbols:
        """Leave conditions as they are: in arithmetic true counts as 1."""
        return x

    def concat(self, arrays: Sequence[Symbols], *, axis: int = 0) -> Symbols:
        """Join arrays along an axis."""
        return Symbols(np.concatenate([each.entries for each in arrays], axis=axis))

    def stack(self, arrays: Sequence[Symbols], *, axis: int = 0) -> Symbols:
        """Join arrays along a new axis."""
        return Symbols(np.stack([each.entries for each in arrays], axis=axis))

    def reshape(self, x: Symbols, shape: tuple[int, ...]) -> Symbols:
        """Lay entries out anew."""
        return Symbols(x.entries.reshape(shape))

    def permute_dims(self, x: Symbols, axes: tuple[int, ...]) -> Symbols:
        """Reorder the axes."""
        return Symbols(x.entries.transpose(axes))

    def flip(self, x: Symbols, *, axis: int) -> Symbols:
        """Reverse an axis."""
        return Symbols(np.flip(x.entries, axis))

    def sum(self, x: Symbols, *, axis: int, keepdims: bool = False) -> Symbols:
        """Add along an axis, one after the other."""
        return _along(operator.add, x, axis, keepdims=keepdims)

    def max(self, x: Symbols, *, axis: int, keepdims: bool = False) -> Symbols:
        """Find the largest along an axis."""
        return _along(self.recorder.maximum, x, axis, keepdims=keepdims)

    def min(self, x: Symbols, *, axis: int, keepdims: bool = False) -> Symbols:
        """Find the smallest along an axis."""
        return _along(self.recorder.minimum, x, axis, keepdims=keepdims)

    def all(self, x: Symbols, *, axis: int, keepdims: bool = False) -> Symbols:
        """Join conditions along an axis; of none, true."""
        if not x.shape[axis]:
            return Symbols(np.full(np.delete(x.shape, axis), True, dtype=object))
        return _along(operator.and_, x, axis, keepdims=keepdims)

    def cumulative_sum(self, x: Symbols, *, axis: int) -> Symbols:
        """Add along an axis and keep every partial sum."""
        parts = accumulate((_part(x, place, axis) for place in range(x.shape[axis])), operator.add)
        return self.stack([*parts], axis=axis)


def _part(x: Symbols, place: int, axis: int) -> Symbols:
    return Symbols(np.take(x.entries, place, axis=axis))


def _along(function: Callable[..., Any], x: Symbols, axis: int, *, keepdims: bool) -> Symbols:
    parts = (_part(x, place, axis) for place in range(x.shape[axis]))
    whole = functools.reduce(functools.partial(_each, function), parts)
    return Symbols(np.expand_dims(whole.entries, axis)) if keepdims else whole


def compiled(unit: Any, columns: int, k: int, wanted: Wanted) -> Any | None:
    """Return the program of a unit of k predictors as the kernel runs it, None where there is none.

    It reads the columns of the response and of eta. It gives the value, the k scores, and of each information
    the entries (i, j) with i <= j, row by row.
    """
    try:
        return _compiled(unit, columns, k, wanted)
    except TypeError:  # a family that holds a list has no hash: recording it for every block takes longer
        return None


@functools.lru_cache(maxsize=REMEMBERED)
def _compiled(unit: Any, columns: int, k: int, wanted: Wanted) -> Any | None:
    if kernel is None or k > MOST:
        return None
    try:
        recorder, outputs = recorded(unit, columns, k, wanted)
    except Exception:  # whatever a formula does to symbols, it can still be run on arrays
        return None
    return handed_over(assemble(recorder, outputs))


def recorded(unit: Any, columns: int, k: int, wanted: Wanted) -> tuple[Recorder, list[int]]:
    """Run a unit on one row of symbols, once per kind of information; return the record and the outputs."""
    recorder = Recorder()
    xp = Several(recorder)
    y = tuple(_row(recorder, 1)[0] for _ in range(columns))
    eta = _row(recorder, k)
    found: dict[str, Symbols] = {}
    for information in ("expected", "observed"):
        if information in wanted or (information == "expected" and "observed" not in wanted):
            value, score, found[information] = unit.bind(xp, information)(y, eta)
            found.update(value=value, score=score)
    upper = [*combinations_with_replacement(range(k), 2)]
    outputs: list[int] = []
    for name in wanted:
        entries = found[name].entries
        if entries.shape != {"value": (1,), "score": (1, k)}.get(name, (1, k, k)):
            raise TypeError(f"{name} has another shape than its rows")
        places = upper if entries.ndim == 3 else np.ndindex(entries.shape[1:])
        outputs += [recorder.number(entries[(0, *place)]) for place in places]
    return recorder, outputs


def _row(recorder: Recorder, k: int) -> Symbols:
    """Return the next k inputs side by side, (1, k)."""
    entries = np.empty(k, dtype=object)
    for place in range(k):
        entries[place] = recorder.input()
    return Symbols(entries[None, :])
