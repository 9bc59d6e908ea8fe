"""A column in several pieces of memory, as tables of Arrow have them: read where it lies, joined if need be.

May import: numpy, `etamu._base`.
Read next: `etamu.data.frame`, where they come from; `etamu.design.blocks`, which cuts rows out of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin


class Joined(NDArrayOperatorsMixin):
    """Arrays of one dtype one after another, (n,), of which slices are views.

    Whatever else is asked of an array is answered by the arrays joined, which takes their memory so long.

    Examples
    --------
    >>> column = Joined([np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])])
    >>> len(column), column[3:5], np.asarray(column[1:4]), column[np.array([0, 4])], column.max()
    (5, array([4., 5.]), array([2., 3., 4.]), array([1., 5.]), np.float64(5.0))
    """

    __slots__ = ("dtype", "ends", "parts")

    def __init__(self, parts: Sequence[np.ndarray[Any, Any]]) -> None:
        self.parts = tuple(parts)
        self.ends = np.cumsum([len(part) for part in self.parts])
        self.dtype = self.parts[0].dtype

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray[Any, Any]:
        """Be joined where an array is asked for."""
        del copy
        return np.concatenate(self.parts).astype(dtype or self.dtype, copy=False)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        """Compute as an array would."""
        plain = (np.asarray(each) if isinstance(each, Joined) else each for each in inputs)
        return getattr(ufunc, method)(*plain, **keywords)

    def __getitem__(self, key: Any) -> Any:
        """Cut rows out: of one part an array, of several these parts."""
        if not isinstance(key, slice) or key.step not in {None, 1}:
            return np.asarray(self)[key]
        start, stop, _ = key.indices(len(self))
        begins = self.ends - [len(part) for part in self.parts]
        cut = [
            part[max(start - int(begin), 0) : max(stop - int(begin), 0)]
            for part, begin in zip(self.parts, begins, strict=True)
        ]
        found = [part for part in cut if len(part)]
        return Joined(found) if len(found) > 1 else (found or cut)[0]

    def take(self, index: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Copy some rows, joining nothing."""
        index = np.where(index < 0, index + len(self), index)
        out = np.empty(len(index), dtype=self.dtype)
        owner = np.searchsorted(self.ends, index, side="right")
        for number, part in enumerate(self.parts):
            here = owner == number
            out[here] = part[index[here] - (self.ends[number] - len(part))]
        return out

    def __getattr__(self, name: str) -> Any:
        """Answer like the arrays joined; what NumPy asks for before it joins them, it has not."""
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self.__array__(), name)

    @property
    def ndim(self) -> int:
        """One dimension."""
        return 1

    @property
    def shape(self) -> tuple[int]:
        """Number of rows."""
        return (len(self),)

    @property
    def strides(self) -> tuple[int]:
        """Bytes from row to row within a part."""
        return (self.parts[0].strides[0],)
