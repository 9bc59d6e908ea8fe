"""Frozen dataclasses that cost little to define: the standard library's, without six compilations each.

The library writes the source of every method of every dataclass and compiles it: half of the time that
`import etamu` took. Here `__init__` alone is compiled; what compares, hashes, prints and refuses to change is
shared. Fields, `replace`, pickles and messages are the library's, and its dataclasses may inherit from these.

May import: the standard library.
Read next: any module; most of them define one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
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
    """Make the class again, with what a dataclass has and it does not define itself."""
    if not frozen:
        raise TypeError(f"{cls.__name__}: an object is a fact; say frozen=True")
    sketch = _sketched(cls, init=init, eq=eq)
    every: dict[str, Any] = {}
    for base in cls.__mro__[:0:-1]:
        every.update(getattr(base, "__dataclass_fields__", {}))
    every.update(sketch.__dataclass_fields__)
    fields = dataclasses.fields(type("", (), {"__dataclass_fields__": every}))
    names = tuple(field.name for field in fields)
    key = _key(tuple(field.name for field in fields if field.compare))
    methods: dict[str, Any] = {
        "__repr__": _printer(tuple(field.name for field in fields if field.repr)),
        **({"__init__": _initialiser(fields, after=hasattr(cls, "__post_init__"))} if init else {}),
        **({"__eq__": _comparer(key)} if eq else {}),
        **({"__hash__": lambda self: hash(key(self))} if eq else {}),
        **_guards(frozenset(names)),
        **(_states(names) if slots else {}),
    }
    contents = {name: value for name, value in cls.__dict__.items() if name not in _MADE_AGAIN}
    if eq and contents.get("__hash__", ()) is None:  # what a class that compares is given
        del contents["__hash__"]
    for name, method in methods.items():
        method.__qualname__, method.__module__ = f"{cls.__qualname__}.{name}", cls.__module__
        if name in contents and name in _GUARDS:
            raise TypeError(f"{cls.__name__}: a frozen class has no {name} of its own")
        contents.setdefault(name, method)
    contents |= _class_attributes(cls, sketch, names, slots=slots)
    taken = tuple(field.name for field in fields if field.init and not field.kw_only)
    contents.setdefault("__match_args__", taken)
    contents |= {"__dataclass_fields__": every, "__qualname__": cls.__qualname__}
    return type(cls)(cls.__name__, cls.__bases__, {n: v for n, v in contents.items() if v is not _GONE})


_MADE_AGAIN = frozenset({"__dict__", "__weakref__"})
_GUARDS = frozenset({"__setattr__", "__delattr__"})
_GONE = object()


def _sketched(cls: type, *, init: bool, eq: bool) -> Any:
    """Let the library read the annotations and defaults of a class, on a sketch without bases or methods."""
    notes = dict(cls.__annotations__)
    given = {name: cls.__dict__[name] for name in notes if name in cls.__dict__}
    about = {"__doc__": cls.__name__, "__module__": cls.__module__, "__annotations__": notes}
    sketch: Any = type(cls.__name__, (), {**about, **given})
    sketch = dataclasses.dataclass(init=False, repr=False, eq=False, match_args=False)(sketch)
    parameters = sketch.__dataclass_params__
    parameters.frozen, parameters.eq, parameters.init, parameters.repr = True, eq, init, True
    return sketch


def _class_attributes(cls: type, sketch: Any, names: tuple[str, ...], *, slots: bool) -> dict[str, Any]:
    """Say what stands in the class for each field: its plain default, nothing, or a slot."""
    own = {name: sketch.__dict__.get(name, _GONE) for name in sketch.__dataclass_fields__}
    out: dict[str, Any] = {"__dataclass_params__": sketch.__dataclass_params__}
    if not slots:
        return out | {name: value for name, value in own.items() if name in cls.__dict__}
    if "__slots__" in cls.__dict__:
        raise TypeError(f"{cls.__name__} already specifies __slots__")
    inherited = {slot for base in cls.__mro__[1:-1] for slot in _slots_of(base)}
    out["__slots__"] = tuple(name for name in names if name not in inherited)
    constants = {name: value for name, value in own.items() if name not in names}
    return out | dict.fromkeys(names, _GONE) | constants


def _slots_of(cls: type) -> tuple[str, ...]:
    slots = cls.__dict__.get("__slots__", ())
    return (slots,) if isinstance(slots, str) else tuple(slots)


_set = object.__setattr__  # the way around the guard, which only builders take


class _Default:
    """Stands in a signature for a default that is made anew for every object."""

    def __repr__(self) -> str:
        return "<factory>"


FACTORY = _Default()


def _initialiser(fields: tuple[Any, ...], *, after: bool) -> Any:
    """Write and compile `__init__`."""
    known: dict[str, Any] = {"_set": _set, "_FACTORY": FACTORY}
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
    if after:
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
    def shown(self: Any) -> str:
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in names)
        return f"{self.__class__.__qualname__}({values})"

    return shown


def _comparer(key: Callable[[Any], tuple[Any, ...]]) -> Any:
    def compare(self: Any, other: object) -> Any:
        return key(self) == key(other) if other.__class__ is self.__class__ else NotImplemented

    return compare


def _guards(names: frozenset[str]) -> dict[str, Any]:
    """Refuse to set or delete a field, and anything of an object whose very class is frozen."""

    def refuse_to_set(self: Any, name: str, value: Any) -> None:
        if name in names or "__dataclass_fields__" in type(self).__dict__:
            raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")
        _set(self, name, value)

    def refuse_to_delete(self: Any, name: str) -> None:
        if name in names or "__dataclass_fields__" in type(self).__dict__:
            raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
        object.__delattr__(self, name)

    return {"__setattr__": refuse_to_set, "__delattr__": refuse_to_delete}


def _states(names: tuple[str, ...]) -> dict[str, Any]:
    """Say what of an object with slots is pickled."""

    def state(self: Any) -> list[Any]:
        return [getattr(self, name) for name in names]

    def restore(self: Any, values: list[Any]) -> None:
        for name, value in zip(names, values, strict=True):
            _set(self, name, value)

    return {"__getstate__": state, "__setstate__": restore}
