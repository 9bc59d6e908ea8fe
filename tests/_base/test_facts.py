"""Our dataclasses are the standard library's to everyone who looks, but for what it costs to define them."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from abc import ABC, abstractmethod
from functools import cached_property
from typing import Any, ClassVar

import pytest

from etamu._base.facts import dataclass, replace

WAYS = pytest.mark.parametrize("make", [dataclass, dataclasses.dataclass], ids=["ours", "library"])


def made(make: Any, **options: bool) -> Any:
    @make(frozen=True, **options)
    class Thing:
        """A thing."""

        kind: ClassVar[str] = "thing"
        a: int
        b: float = 2.5
        c: list[int] = dataclasses.field(default_factory=list)
        d: str = dataclasses.field(default="d", repr=False, compare=False)

    return Thing


@dataclass(frozen=True, slots=True)
class Point:
    """A point, at the top of a module so that it pickles."""

    x: float
    y: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Pixel(Point):
    """A point with more."""

    colour: str = "red"


@WAYS
@pytest.mark.parametrize("slots", [False, True])
@pytest.mark.parametrize("eq", [False, True])
def test_it_does_what_the_librarys_does(make: Any, slots: bool, eq: bool) -> None:
    Thing = made(make, slots=slots, eq=eq)
    thing = Thing(1, c=[3])
    assert repr(thing).endswith("Thing(a=1, b=2.5, c=[3])")
    assert (thing == Thing(1, c=[3], d="other")) is eq
    assert thing != Thing(2, c=[3])
    assert thing != (1, 2.5, [3])
    assert Thing(1).c is not Thing(1).c
    assert Thing.kind == thing.kind == "thing"
    assert Thing.__match_args__ == ("a", "b", "c", "d")
    assert Thing.__doc__ == "A thing."
    assert hasattr(thing, "__dict__") is not slots
    assert (
        str(inspect.signature(Thing))
        == "(a: 'int', b: 'float' = 2.5, c: 'list[int]' = <factory>, d: 'str' = 'd') -> None"
    )
    assert dataclasses.is_dataclass(Thing)
    assert [field.name for field in dataclasses.fields(Thing)] == ["a", "b", "c", "d"]
    assert dataclasses.replace(thing, a=5).a == 5
    assert dataclasses.asdict(thing) == {"a": 1, "b": 2.5, "c": [3], "d": "d"}
    assert copy.copy(thing).c is thing.c
    assert copy.deepcopy(thing).c == thing.c
    with pytest.raises(TypeError, match=r"unexpected keyword"):
        Thing(1, z=3)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'a'"):
        Thing()


@WAYS
@pytest.mark.parametrize("slots", [False, True])
def test_nothing_of_it_changes(make: Any, slots: bool) -> None:
    thing = made(make, slots=slots)(1)
    for name in ("a", "d"):
        with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot assign to field '{name}'"):
            setattr(thing, name, 2)
        with pytest.raises(dataclasses.FrozenInstanceError, match=f"cannot delete field '{name}'"):
            delattr(thing, name)
    if not slots:
        with pytest.raises(dataclasses.FrozenInstanceError):
            thing.other = 1


def test_equal_facts_hash_alike_and_those_without_equality_by_identity() -> None:
    assert hash(Point(1.0)) == hash(Point(1.0, 0.0))
    assert len({Point(1.0), Point(1.0, 0.0), Point(2.0)}) == 2
    assert Pixel(1.0) != Point(1.0)
    nan = float("nan")
    assert Point(nan, 1.0) == Point(nan, 1.0)
    assert isinstance(hash(made(dataclass, eq=False)(1)), int)


@pytest.mark.parametrize("thing", [Point(1.0, 2.0), Pixel(1.0, colour="blue")], ids=["point", "pixel"])
@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
def test_it_pickles(thing: Point, protocol: int) -> None:
    again = pickle.loads(pickle.dumps(thing, protocol))
    assert type(again) is type(thing)
    assert repr(again) == repr(thing)


def test_fields_are_inherited_from_and_by_the_librarys() -> None:
    assert repr(Pixel(1.0, 2.0)) == "Pixel(x=1.0, y=2.0, colour='red')"
    assert Pixel.__slots__ == ("colour",)

    @dataclasses.dataclass(frozen=True, slots=True)
    class Theirs(Point):
        z: float = 3.0

    @dataclass(frozen=True)
    class Ours(Theirs):
        w: float = 4.0

    assert Ours(1.0) == Ours(1.0, 0.0, 3.0, 4.0)
    with pytest.raises(TypeError, match="cannot inherit non-frozen dataclass from a frozen one"):

        @dataclasses.dataclass
        class Loose(Point):
            pass


def test_what_a_class_defines_itself_stays() -> None:
    @dataclass(frozen=True)
    class Own:
        a: int

        def __post_init__(self) -> None:
            if self.a < 0:
                raise ValueError("negative")

        def __repr__(self) -> str:
            return "own"

        def __eq__(self, other: object) -> bool:
            return True

        def __hash__(self) -> int:
            return 7

        @cached_property
        def twice(self) -> int:
            return 2 * self.a

    assert (repr(Own(1)), Own(1) == Own(2), hash(Own(3)), Own(4).twice) == ("own", True, 7, 8)
    with pytest.raises(ValueError, match="negative"):
        Own(-1)


def test_an_abstract_class_stays_one() -> None:
    @dataclass(frozen=True, slots=True)
    class Base(ABC):
        a: int

        @abstractmethod
        def go(self) -> int: ...

    @dataclass(frozen=True, slots=True)
    class Final(Base):
        def go(self) -> int:
            return self.a

    with pytest.raises(TypeError, match="abstract"):
        Base(1)  # type: ignore[abstract]
    assert Final(3).go() == 3


@pytest.mark.parametrize("options", [{"frozen": False}, {}], ids=["loose", "unsaid"])
def test_it_must_be_frozen(options: dict[str, bool]) -> None:
    with pytest.raises(TypeError, match="frozen"):
        dataclass(**options)(type("Loose", (), {}))


def test_a_field_of_its_own_making_is_set_by_the_class() -> None:
    @dataclass(frozen=True, slots=True, init=False)
    class Built:
        a: int

        def __init__(self, a: int) -> None:
            object.__setattr__(self, "a", a + 1)

    @dataclass(frozen=True)
    class Partly:
        a: int
        b: int = dataclasses.field(init=False, default=3)
        _: dataclasses.KW_ONLY
        c: int = 4

    assert Built(1).a == 2
    assert repr(Partly(1, c=5)).endswith("Partly(a=1, b=3, c=5)")
    with pytest.raises(TypeError):
        Partly(1, 5)  # type: ignore[misc]


@pytest.mark.parametrize("slots", [False, True], ids=["dict", "slots"])
def test_other_values_of_some_fields(slots: bool) -> None:
    thing = made(dataclass, slots=slots)(1, c=[3])
    other = replace(thing, a=4)
    assert other == dataclasses.replace(thing, a=4)
    assert other.c is thing.c
    with pytest.raises(TypeError, match="unexpected"):
        replace(thing, nothing=1)


def test_a_cached_property_is_computed_once_and_is_still_one() -> None:
    seen: list[int] = []

    @dataclass(frozen=True)
    class Held:
        a: int

        @cached_property
        def twice(self) -> int:
            """Twice a."""
            seen.append(self.a)
            return 2 * self.a

    held = Held(4)
    assert (held.twice, held.twice, seen) == (8, 8, [4])
    assert isinstance(Held.twice, cached_property)
    assert Held.twice.__doc__ == "Twice a."
    assert "twice" not in replace(held, a=5).__dict__
