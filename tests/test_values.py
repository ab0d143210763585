"""Our dataclasses are what the standard library's are."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from dataclasses import dataclass as theirs
from dataclasses import field
from typing import Any

import pytest

from reader import values
from reader.values import dataclass as ours


class Point:
    """Two places."""

    x: int
    y: list[int] = field(default_factory=list)
    name: str = "a"
    size: int = field(default=3)

    @property
    def far(self) -> int:
        return self.x * 2


class Alone:
    x: int


class Empty:
    pass


class Checked:
    x: int

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError(self.x)

    def __eq__(self, other: object) -> bool:
        return other.__class__ is self.__class__


def made(by: Any, cls: type) -> Any:
    own = {name: value for name, value in cls.__dict__.items() if name not in ("__dict__", "__weakref__")}
    return by(frozen=True, slots=True)(type(cls.__name__, cls.__bases__, own))


Kept = made(ours, Point)
Kept.__qualname__ = "Kept"  # where pickle finds it


@pytest.mark.parametrize("by", [ours, theirs])
def test_what_a_frozen_dataclass_does(by: Any) -> None:
    made_point = made(by, Point)
    point = made_point(1)
    assert repr(point) == "Point(x=1, y=[], name='a', size=3)"
    assert point == made_point(x=1) and point != made_point(2) and point != (1, [], "a", 3)
    assert made_point(1).y is not point.y
    assert made_point(1, [2], "b", 4) == made_point(size=4, name="b", y=[2], x=1)
    assert point.far == 2 and made_point.__doc__ == "Two places."
    assert not hasattr(point, "__dict__")
    for change in ("x", "other"):
        with pytest.raises((dataclasses.FrozenInstanceError, TypeError)):
            setattr(point, change, 1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    with pytest.raises(TypeError):
        hash(point)
    with pytest.raises(TypeError):
        made_point()
    assert dataclasses.replace(point, x=5) == made_point(5)
    assert dataclasses.asdict(point) == {"x": 1, "y": [], "name": "a", "size": 3}
    assert [f.name for f in dataclasses.fields(made_point)] == ["x", "y", "name", "size"]
    assert dataclasses.is_dataclass(point)
    assert copy.deepcopy(point) == point
    match point:
        case made_point(x, [], name):
            assert (x, name) == (1, "a")
        case _:
            raise AssertionError(point)


@pytest.mark.parametrize("by", [ours, theirs])
def test_few_fields_and_methods_of_ones_own(by: Any) -> None:
    alone, empty, checked = (made(by, cls) for cls in (Alone, Empty, Checked))
    assert alone(3) == alone(3) != alone(4) and len({alone(3), alone(3), alone(4)}) == 2
    assert empty() == empty() and hash(empty()) == hash(empty())
    with pytest.raises(ValueError, match="-1"):
        checked(-1)
    assert checked(1) == checked(2) and hash(checked(1)) == hash(checked(1)) != hash(checked(2))


def test_it_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(Kept(1, [2]))) == Kept(1, [2])


def test_what_it_cannot_do_it_refuses() -> None:
    class More(made(ours, Alone)):  # type: ignore[misc]
        y: int

    class Uncompared:
        x: int = field(compare=False)

    for cls in (More, Uncompared):
        with pytest.raises(TypeError):
            made(ours, cls)
    assert values.dataclass(slots=True) is not ours
