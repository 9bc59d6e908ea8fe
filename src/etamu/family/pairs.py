"""The pairs stated in eta where the general formula would lose a tail: one table, each entry a factory.

May import: _base, family.family, family.link, family.special.
Read next: `etamu.family.unit`, which looks pairs up here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from etamu._base.types import AnyArray, Namespace

Kernel = Callable[[AnyArray, AnyArray], tuple[AnyArray, AnyArray, AnyArray]]
"""(y, eta) -> (value, score, information), all of the shape of eta."""

Factory = Callable[[Any], Callable[[Namespace, str], Kernel]]
"""family -> (namespace, "expected" or "observed") -> kernel."""

SPECIAL: dict[tuple[type, type], Factory] = {}
"""(type of family, type of link) -> factory."""
