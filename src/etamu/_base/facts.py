"""Frozen dataclasses that cost little to define: the standard library's, made without six compilations each.

The library writes the source of every method of every dataclass and compiles it, which was half of the time that
`import etamu` took. Here `__init__` alone is compiled; what compares, hashes, prints and refuses to change is
shared. Fields, `replace`, pickles and messages are the library's, and its own dataclasses may inherit from these.

May import: the standard library.
Read next: any module; most of them define one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(cls: type | None = None, /, *, slots: bool = False, **options: bool) -> Any:
        """Make a frozen dataclass; takes `frozen` (which must be True), `slots`, `eq` and `init`.

        Examples
        --------
        >>> @dataclass(frozen=True, slots=True)
        ... class Point:
        ...     x: float
        ...     y: float = 0.0
        >>> Point(1.0), Point(1.0) == Point(1.0, 0.0), hash(Point(1.0)) == hash(Point(1.0, 0.0))
        (Point(x=1.0, y=0.0), True, True)
        """

        def made(cls: type) -> type:
            return _made(cls, slots=slots, **options)

        return made if cls is None else made(cls)


def _made(cls: type, *, frozen: bool, slots: bool, eq: bool = True, init: bool = True) -> type:
    if not frozen:
        raise TypeError(f"{cls.__name__}: an object is a fact; say frozen=True")
    own = _own_fields(cls)
    every: dict[str, Any] = {}
    for base in cls.__mro__[:0:-1]:
        every.update(getattr(base, "__dataclass_fields__", {}))
    every.update(own.__dataclass_fields__)
    for name in own.__dataclass_fields__:
        _set_default(cls, name, own.__dict__)
    parameters = own.__dataclass_params__
    parameters.frozen, parameters.eq, parameters.init, parameters.repr = True, eq, init, True
    dataclasses_own: Any = cls
    dataclasses_own.__dataclass_fields__, dataclasses_own.__dataclass_params__ = every, parameters
    fields = dataclasses.fields(dataclasses_own)
    if slots:
        cls = _slotted(cls, tuple(field.name for field in fields))
    _add(cls, "__match_args__", tuple(field.name for field in fields if field.init and not field.kw_only))
    if init:
        _add(cls, "__init__", _initialiser(cls, fields))
    _add(cls, "__repr__", _printer(tuple(field.name for field in fields if field.repr)))
    if eq:
        key = _key(tuple(field.name for field in fields if field.compare))
        explicit = cls.__dict__.get("__hash__") is not None  # a class that compares has a __hash__ of None
        _add(cls, "__eq__", _comparer(key))
        if not explicit:
            setattr(cls, "__hash__", lambda self: hash(key(self)))  # noqa: B010  mypy knows better than to assign
    _freeze(cls, frozenset(field.name for field in fields))
    return cls


def _own_fields(cls: type) -> Any:
    """Let the library read the annotations and defaults of a class, on a sketch without bases or methods."""
    notes = cls.__dict__.get("__annotations__") or getattr(cls, "__annotations__", {})
    given = {name: cls.__dict__[name] for name in notes if name in cls.__dict__}
    sketch = type(
        cls.__name__,
        (),
        {"__doc__": cls.__name__, "__module__": cls.__module__, "__annotations__": notes, **given},
    )
    return dataclasses.dataclass(init=False, repr=False, eq=False, match_args=False)(sketch)


def _set_default(cls: type, name: str, defaults: Any) -> None:
    """Leave the plain default of a field in the class, as the library leaves it in the sketch."""
    if isinstance(cls.__dict__.get(name), dataclasses.Field):
        if name in defaults:
            setattr(cls, name, defaults[name])
        else:
            delattr(cls, name)


def _add(cls: type, name: str, value: Any) -> None:
    """Give a class what it does not define itself."""
    if name not in cls.__dict__:
        if callable(value):
            value.__qualname__ = f"{cls.__qualname__}.{name}"
            value.__module__ = cls.__module__
        setattr(cls, name, value)


class _Default:
    """Stands in a signature for a default that is made anew for every object."""

    def __repr__(self) -> str:
        return "<factory>"


FACTORY = _Default()


def _initialiser(cls: type, fields: tuple[Any, ...]) -> Any:
    """Write and compile `__init__`."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_FACTORY": FACTORY}
    taken: list[str] = []
    only: list[str] = []
    body: list[str] = []
    for number, field in enumerate(fields):
        value = field.name
        default = ""
        if field.default is not dataclasses.MISSING:
            known[f"_default_{number}"] = field.default
            default = f"=_default_{number}"
        elif field.default_factory is not dataclasses.MISSING:
            known[f"_make_{number}"] = field.default_factory
            default = "=_FACTORY"
            value = f"_make_{number}() if {field.name} is _FACTORY else {field.name}"
        if field.init:
            (only if field.kw_only else taken).append(field.name + default)
        elif field.default_factory is not dataclasses.MISSING:
            value = f"_make_{number}()"
        elif default:
            value = f"_default_{number}"
        else:
            continue
        body.append(f" _set(self, {field.name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        body.append(" self.__post_init__()")
    signature = ", ".join(["self", *taken, *(["*", *only] if only else [])])
    source = "\n".join([f"def __init__({signature}):", *(body or [" pass"])])
    exec(source, known)  # noqa: S102  the names of fields and nothing else
    made = known["__init__"]
    made.__annotations__ = {field.name: field.type for field in fields if field.init} | {"return": None}
    return made


def _key(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """Return how the fields of an object become a tuple."""
    if len(names) > 1:
        return attrgetter(*names)
    return lambda thing: tuple(getattr(thing, name) for name in names)


def _printer(names: tuple[str, ...]) -> Any:
    @recursive_repr("...")
    def __repr__(self: Any) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({shown})"

    return __repr__


def _comparer(key: Callable[[Any], tuple[Any, ...]]) -> Any:
    def __eq__(self: Any, other: object) -> Any:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    return __eq__


def _freeze(cls: type, names: frozenset[str]) -> None:
    """Refuse to set and to delete what is a field, and anything of an object of exactly this class."""

    def __setattr__(self: Any, name: str, value: Any) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        super(cls, self).__setattr__(name, value)

    def __delattr__(self: Any, name: str) -> None:
        if type(self) is cls or name in names:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        super(cls, self).__delattr__(name)

    for method in (__setattr__, __delattr__):
        if method.__name__ in cls.__dict__:
            raise TypeError(f"{cls.__name__}: a frozen class has no {method.__name__} of its own")
        _add(cls, method.__name__, method)


def _slotted(cls: type, names: tuple[str, ...]) -> type:
    """Make the class again with a slot for every field that no base has one for."""
    if "__slots__" in cls.__dict__:
        raise TypeError(f"{cls.__name__} already specifies __slots__")
    inherited = {slot for base in cls.__mro__[1:-1] for slot in _slots_of(base)}
    contents = {
        name: value
        for name, value in cls.__dict__.items()
        if name not in {*names, "__dict__", "__weakref__"}
    }
    contents["__slots__"] = tuple(name for name in names if name not in inherited)
    contents.setdefault("__getstate__", lambda self: [getattr(self, name) for name in names])
    contents.setdefault("__setstate__", lambda self, state: _restore(self, names, state))
    made = type(cls)(cls.__name__, cls.__bases__, contents)
    made.__qualname__ = cls.__qualname__
    return made


def _slots_of(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


def _restore(thing: Any, names: tuple[str, ...], state: list[Any]) -> None:
    for name, value in zip(names, state, strict=True):
        object.__setattr__(thing, name, value)
