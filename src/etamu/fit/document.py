"""A JSON document a person can read, and the place in it where reading stands.

May import: numpy, `etamu._base`.
Read next: `etamu.fit.store`, which writes one, and `etamu.fit.restore`, which reads it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from etamu._base.errors import FileError
from etamu._base.facts import dataclass
from etamu._base.types import Array

SPECIAL = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""Numbers JSON does not have, as they are written: text."""

_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def written(document: dict[str, Any]) -> str:
    """Write objects key by key, lists of numbers on one line, lists of lists line by line.

    Every float is written by its shortest representation that reads back the same.

    Examples
    --------
    >>> print(written({"format": "example", "beta": [0.1, float("nan")], "rows": [[1, 2], [3]]}))
    {
      "format": "example",
      "beta": [0.1, "NaN"],
      "rows": [
        [1, 2],
        [3]
      ]
    }
    """
    return _written(_plain(document), "")


def _written(value: Any, margin: str) -> str:
    deeper = margin + "  "
    if isinstance(value, dict) and value:
        lines = [f"{deeper}{_compact(key)}: {_written(part, deeper)}" for key, part in value.items()]
        return "{\n" + ",\n".join(lines) + f"\n{margin}}}"
    if isinstance(value, list) and any(isinstance(part, (list, dict)) for part in value):
        lines = [deeper + _compact(part) for part in value]
        return "[\n" + ",\n".join(lines) + f"\n{margin}]"
    return _compact(value)


def _compact(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _plain(value: Any) -> Any:
    """Turn arrays and tuples into lists, and the numbers JSON does not have into text."""
    if isinstance(value, np.ndarray):
        finite = value.dtype.kind != "f" or np.isfinite(value).all()
        return value.tolist() if finite else _plain(value.tolist())
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


@dataclass(frozen=True, slots=True)
class Place:
    """A value of a document, and the way that led to it.

    Parameters
    ----------
    value : Any
    source : str
        The file.
    way : str
        Such as ``estimate.beta[3]``; empty for the whole document.
    """

    value: Any
    source: str
    way: str = ""

    def error(self, message: str) -> FileError:
        """State what is wrong here."""
        return FileError(f"{self.source}: {self.way + ': ' if self.way else ''}{message}")

    def __getitem__(self, key: str) -> Place:
        """Go to a key of an object; refuse where there is none."""
        if key not in self.object():
            raise self.error(f"{key!r} is missing: the file is damaged, or not what it says it is")
        return Place(self.value[key], self.source, f"{self.way}.{key}" if self.way else key)

    def get(self, key: str) -> Any:
        """Return the value of a key of an object, None where there is none."""
        return self.object().get(key)

    def only(self, *keys: str) -> None:
        """Refuse an object with keys nobody reads."""
        strange = [key for key in self.object() if key not in keys]
        if strange:
            raise self.error(f"{_shown(strange[0])} is not a key of this format")

    def wrong(self, wanted: str) -> FileError:
        """State that something else stands here."""
        return self.error(f"{_shown(self.value)} stands where {wanted} belongs")

    def __iter__(self) -> Iterator[Place]:
        """Go through a list."""
        return (Place(part, self.source, f"{self.way}[{number}]") for number, part in enumerate(self.parts()))

    def object(self) -> dict[str, Any]:
        """Return an object."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        return self.value

    def parts(self, size: int | None = None) -> list[Any]:
        """Return a list, of a certain length if one is given."""
        if not isinstance(self.value, list):
            raise self.wrong("a list")
        if size is not None and len(self.value) != size:
            raise self.error(f"there are {len(self.value)} entries where {size} belong")
        return self.value

    def text(self) -> str:
        """Return a text."""
        if not isinstance(self.value, str):
            raise self.wrong("text")
        return self.value

    def word(self, *words: str) -> str:
        """Return a text that is one of some words."""
        if not isinstance(self.value, str) or self.value not in words:
            raise self.wrong(f"one of {', '.join(map(repr, words))}")
        return self.value

    def count(self, least: int = 0, most: int = 2**63 - 1) -> int:
        """Return a whole number within bounds."""
        if type(self.value) is not int or not least <= self.value <= most:
            raise self.wrong(f"a whole number{'' if most == 2**63 - 1 else f' from {least} to {most}'}")
        return self.value

    def number(self) -> float:
        """Return a number, which may be NaN or infinite."""
        if isinstance(self.value, str) and self.value in SPECIAL:
            return SPECIAL[self.value]
        if type(self.value) not in {int, float}:
            raise self.wrong("a number")
        try:
            return float(self.value)
        except OverflowError:
            raise self.wrong("a number a float can hold") from None

    def numbers(self, size: int | None = None, *, finite: bool = False) -> Array:
        """Return a list of numbers as an array."""
        parts = self.parts(size)
        if set(map(type, parts)) <= {float}:
            out = np.array(parts, dtype=np.float64)
        else:
            out = np.array([place.number() for place in self], dtype=np.float64)
        if finite and not np.isfinite(out).all():
            raise list(self)[int(np.flatnonzero(~np.isfinite(out))[0])].wrong("a finite number")
        return out

    def texts(self) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(place.text() for place in self)


def _shown(value: Any) -> str:
    import json

    text = {list: "a list", dict: "an object", type(None): "null"}.get(type(value), "")
    text = text or json.dumps(value)
    return text if len(text) <= 60 else text[:60] + "…"


def parsed(text: str, source: str) -> Place:
    """Parse JSON strictly.

    Raises
    ------
    FileError
        If it is no JSON, has a key twice, a bare NaN, or text that is no Unicode; line and column are named.
    """
    import json

    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse_bare)
        if _SURROGATE.search(text):
            json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise FileError(f"{source}: {where}: {error.msg}: no JSON, or cut short") from None
    except UnicodeEncodeError:
        raise FileError(f"{source}: a text holds half a character (a lone surrogate)") from None
    except RecursionError:
        raise FileError(f"{source}: lists are nested too deeply") from None
    except ValueError as error:
        raise FileError(f"{source}: {error}") from None
    return Place(value, source)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) < len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise ValueError(f"the key {_shown(twice)} stands twice in one object")
    return out


def _refuse_bare(word: str) -> Any:
    raise ValueError(f"a bare {word} is no JSON; it is written as text, {word!r} in quotes")
