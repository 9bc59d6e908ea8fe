"""Frozen dataclasses that cost little to define: the standard library's, without six compilations each.

The library writes the source of every method of every dataclass and compiles it: half of the time that
`import etamu` took. Here what compares, hashes, prints and refuses to change is shared, and `__init__` is
compiled once for all classes with as many fields: to name them is to name the variables of that code. Fields,
`replace`, pickles and messages are the library's, and its dataclasses may inherit from these.

May import: the standard library.
Read next: any module; most of them define one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import cache, cached_property
from operator import attrgetter
from reprlib import recursive_repr
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass", "replace"]

if TYPE_CHECKING:
    from dataclasses import dataclass, replace
else:

    def replace(thing: Any, /, **changes: Any) -> Any:
        """Return the same with other values of some fields, as the library's does in twice the time.

        Examples
        --------
        >>> @dataclass(frozen=True, slots=True)
        ... class Point:
        ...     x: float
        ...     y: float = 0.0
        >>> replace(Point(1.0), y=2.0)
        Point(x=1.0, y=2.0)
        """
        kind = type(thing)
        for name in _given(kind):
            if name not in changes:
                changes[name] = getattr(thing, name)
        return kind(**changes)

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
    own = _plain(cls) or _sketched(cls)
    every: dict[str, Any] = {}
    for base in cls.__mro__[:0:-1]:
        every.update(getattr(base, "__dataclass_fields__", {}))
    every.update(own)
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
    for value in contents.values():
        if type(value) is cached_property:
            value.__class__ = _Unlocked
    contents |= _class_attributes(cls, own, names, slots=slots)
    contents["__dataclass_params__"] = _parameters(init=init, eq=eq)
    taken = tuple(field.name for field in fields if field.init and not field.kw_only)
    contents.setdefault("__match_args__", taken)
    contents |= {"__dataclass_fields__": every, "__qualname__": cls.__qualname__}
    return type(cls)(cls.__name__, cls.__bases__, {n: v for n, v in contents.items() if v is not _GONE})


@cache
def _given(kind: type) -> tuple[str, ...]:
    """Name the fields that an object is made from."""
    return tuple(field.name for field in dataclasses.fields(kind) if field.init)


class _Unlocked(cached_property[Any]):
    """What a cached property is from Python 3.12 on: without a lock, which takes longer than most answers."""

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self
        value = instance.__dict__[self.attrname] = self.func(instance)
        return value


_MADE_AGAIN = frozenset({"__dict__", "__weakref__"})
_GUARDS = frozenset({"__setattr__", "__delattr__"})
_GONE = object()


_FIELD: Any = dataclasses._FIELD  # type: ignore[attr-defined]  # noqa: SLF001  what `fields` looks for
_SPECIAL = ("ClassVar", "InitVar", "KW_ONLY")


def _plain(cls: type) -> dict[str, Any] | None:
    """Read the annotations and defaults of a class of plain fields; None where the library must read them."""
    own: dict[str, Any] = {}
    for name, note in cls.__annotations__.items():
        default = cls.__dict__.get(name, dataclasses.MISSING)
        if isinstance(default, dataclasses.Field) or default.__class__.__hash__ is None:
            return None
        if not isinstance(note, str) or any(word in note for word in _SPECIAL):
            return None
        field: Any = dataclasses.field(default=default)
        field.name, field.type, field.kw_only = name, note, False
        field._field_type = _FIELD  # noqa: SLF001
        own[name] = field
    return own


def _sketched(cls: type) -> dict[str, Any]:
    """Let the library read the annotations and defaults of a class, on a sketch without bases or methods."""
    notes = dict(cls.__annotations__)
    given = {name: cls.__dict__[name] for name in notes if name in cls.__dict__}
    about = {"__doc__": cls.__name__, "__module__": cls.__module__, "__annotations__": notes}
    sketch: Any = type(cls.__name__, (), {**about, **given})
    return dict(_by_library(sketch).__dataclass_fields__)


def _by_library(sketch: Any) -> Any:
    return dataclasses.dataclass(init=False, repr=False, eq=False, match_args=False)(sketch)


@cache
def _parameters(*, init: bool, eq: bool) -> Any:
    """Return what a frozen dataclass says of itself."""
    parameters = _by_library(type("", (), {"__doc__": ""})).__dataclass_params__
    parameters.frozen, parameters.eq, parameters.init, parameters.repr = True, eq, init, True
    return parameters


def _class_attributes(
    cls: type, own: dict[str, Any], names: tuple[str, ...], *, slots: bool
) -> dict[str, Any]:
    """Say what stands in the class for each field: its plain default, nothing, or a slot."""
    given = {name: _GONE if f.default is dataclasses.MISSING else f.default for name, f in own.items()}
    if not slots:
        return {name: value for name, value in given.items() if name in cls.__dict__}
    if "__slots__" in cls.__dict__:
        raise TypeError(f"{cls.__name__} already specifies __slots__")
    inherited = {slot for base in cls.__mro__[1:-1] for slot in _slots_of(base)}
    constants = {name: value for name, value in given.items() if name not in names}
    mine = tuple(name for name in names if name not in inherited)
    return {"__slots__": mine, **dict.fromkeys(names, _GONE), **constants}


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
    """Name the variables of the code that sets so many fields, and say their defaults."""
    known: dict[str, Any] = {"_set": _set, "_FACTORY": FACTORY}
    names: dict[str, str] = {}
    defaults: dict[str, Any] = {}
    kinds: list[str] = []
    for field in fields:
        made = field.default_factory is not dataclasses.MISSING
        plain = field.default is not dataclasses.MISSING
        if not (field.init or made or plain):
            continue
        kinds.append(("only " if field.kw_only else "taken ") if field.init else "")
        kinds[-1] += "made" if made else "plain"
        names[f"_{len(kinds) - 1}"] = field.name
        if made or not field.init:
            known[f"_value_{len(kinds) - 1}"] = field.default_factory if made else field.default
        if field.init and (made or plain):
            defaults[field.name] = FACTORY if made else field.default
    code = _setter(tuple(kinds), after=after)
    code = code.replace(
        co_varnames=tuple(names.get(name, name) for name in code.co_varnames),
        co_consts=tuple(names.get(each, each) for each in code.co_consts),
    )
    only = {field.name for field in fields if field.kw_only}
    taken = tuple(value for name, value in defaults.items() if name not in only)
    init = FunctionType(code, known, "__init__", taken)
    init.__kwdefaults__ = {name: value for name, value in defaults.items() if name in only}
    init.__annotations__ = {field.name: field.type for field in fields if field.init} | {"return": None}
    return init


@cache
def _setter(kinds: tuple[str, ...], *, after: bool) -> CodeType:
    """Write and compile what sets fields of these kinds, named by number."""
    taken = [f"_{number}" for number, kind in enumerate(kinds) if kind.startswith("taken")]
    only = [f"_{number}" for number, kind in enumerate(kinds) if kind.startswith("only")]
    body = [f" _set(self, '_{number}', {_value(number, kind)})" for number, kind in enumerate(kinds)]
    if after:
        body.append(" self.__post_init__()")
    signature = ", ".join(["self", *taken, *(["*", *only] if only else [])])
    known: dict[str, Any] = {}
    exec("\n".join([f"def __init__({signature}):", *(body or [" pass"])]), known)  # noqa: S102  numbers only
    return known["__init__"].__code__  # type: ignore[no-any-return]


def _value(number: int, kind: str) -> str:
    """Say what a field is set to: what is given, its default, or what is made for this object."""
    match kind.split():
        case [_, "made"]:
            return f"_value_{number}() if _{number} is _FACTORY else _{number}"
        case [_, _]:
            return f"_{number}"
        case ["made"]:
            return f"_value_{number}()"
        case _:
            return f"_value_{number}"


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
