# The compiled door: built from src/kernel by CMake when etamu is installed.

from typing import Any, TypeAlias

import numpy as np

from etamu._base.types import Array

version: str

def vector_width() -> str: ...
def instruction_set() -> str: ...

# Dense columns: X is (columns - shift) / scale, columns a tuple of arrays (n,) or (n, k) of numbers.

_Columns: TypeAlias = tuple[np.ndarray[Any, Any], ...]

def dense_matvec(
    columns: _Columns,
    shift: Array | None,
    scale: Array | None,
    beta: Array,
    *,
    instruction_set: str | None = None,
) -> Array: ...
def dense_rmatvec(
    columns: _Columns,
    shift: Array | None,
    scale: Array | None,
    v: Array,
    *,
    instruction_set: str | None = None,
) -> Array: ...
def dense_gram(
    columns: _Columns,
    shift: Array | None,
    scale: Array | None,
    w: Array | None,
    single: bool = False,
    coarse: bool = False,
    whole: bool = False,
    *,
    instruction_set: str | None = None,
) -> Array: ...
def dense_quadratic(
    columns: _Columns,
    shift: Array | None,
    scale: Array | None,
    matrix: Array,
    *,
    instruction_set: str | None = None,
) -> Array: ...
def dense_cross(
    columns_a: _Columns,
    shift_a: Array | None,
    scale_a: Array | None,
    columns_b: _Columns,
    shift_b: Array | None,
    scale_b: Array | None,
    w: Array | None,
    single: bool = False,
    *,
    instruction_set: str | None = None,
) -> Array: ...
def dense_bilinear(
    columns_a: _Columns,
    shift_a: Array | None,
    scale_a: Array | None,
    columns_b: _Columns,
    shift_b: Array | None,
    scale_b: Array | None,
    matrix: Array,
    *,
    instruction_set: str | None = None,
) -> Array: ...

# Bounds of quadratic forms: the largest |m_ij| e_i e_j of every pair of groups, summed.

def grouped_form(matrix: Array, extent: Array, of: np.ndarray[Any, Any], groups: int) -> float: ...
