"""``@dataclass(frozen=True, slots=True)``, made four times sooner. Standard library only.

Of a frozen dataclass the standard library writes and compiles six functions. A hundred of
ours took a fifth of the time until the screen answers a key, and a third of ``newsfold list``.
Here one is compiled, ``__init__``; the others are the same for all. What they do is the same
too, and so is what :mod:`dataclasses` says of the class (``replace``, ``fields``, ``asdict``).

There is no inheriting of fields, and of what ``field`` takes only the defaults are known: who
needs more takes the standard library's.
"""

from __future__ import annotations

import dataclasses
from dataclasses import MISSING, Field, FrozenInstanceError
from inspect import get_annotations
from operator import attrgetter
from typing import TYPE_CHECKING, Any

__all__ = ["dataclass"]

if TYPE_CHECKING:
    from dataclasses import dataclass
else:

    def dataclass(**kind: bool) -> Any:
        """Of *kind* frozen with slots made here, all others as ever."""
        return _made if kind == {"frozen": True, "slots": True} else dataclasses.dataclass(**kind)


_set = object.__setattr__


def _made(cls: type) -> type:
    names = tuple(get_annotations(cls))
    if any("__match_args__" in base.__dict__ for base in cls.__mro__[1:]):
        raise TypeError(f"{cls.__name__} would inherit fields")
    room = {name: value for name, value in cls.__dict__.items() if name not in {*names, *_OF_A_CLASS}}
    if room.get("__hash__", _hash) is None:  # what Python puts beside an __eq__
        del room["__hash__"]
    room |= {
        "__slots__": names,
        "__match_args__": names,
        "__init__": _init(cls, names),
        "__dataclass_fields__": _Fields(cls),
        "_values": property(attrgetter(*names)) if names else (),
    }
    made = type(cls)(cls.__name__, cls.__bases__, {**_SHARED, **room})
    made.__qualname__ = cls.__qualname__
    return made


def _init(cls: type, names: tuple[str, ...]) -> Any:
    """``__init__``, the one function that is different for each."""
    known: dict[str, Any] = {"_set": _set, "_missing": MISSING}
    taken, lines = [], []
    for name in names:
        default, value = cls.__dict__.get(name, MISSING), name
        if isinstance(default, Field):
            if not (default.init and default.repr and default.compare and default.hash is None):
                raise TypeError(f"{cls.__name__}.{name} has more than a default")
            if default.default_factory is not MISSING:
                known[f"_make_{name}"] = default.default_factory
                value, default = f"_make_{name}() if {name} is _missing else {name}", MISSING
                known[f"_else_{name}"] = MISSING
            else:
                default = default.default
        if default is not MISSING:
            known[f"_else_{name}"] = default
        taken.append(f"{name}=_else_{name}" if f"_else_{name}" in known else name)
        lines.append(f"_set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append("self.__post_init__()")
    # Of the field names of a class in the code, as the standard library's is.
    exec(f"def __init__(self, {', '.join(taken)}):\n {'; '.join(lines) or 'pass'}", known)  # noqa: S102 # nosec B102
    init = known.pop("__init__")
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


class _Fields:
    """What :mod:`dataclasses` knows a dataclass by; made when it asks."""

    def __init__(self, cls: type) -> None:
        self._cls = cls

    def __get__(self, _: object, owner: type) -> Any:
        told = dataclasses.dataclass(init=False, repr=False, eq=False)(self._cls).__dataclass_fields__  # type: ignore[attr-defined]
        owner.__dataclass_fields__ = told  # type: ignore[attr-defined]
        return told


# -- what all have


def _repr(self: Any) -> str:
    told = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
    return f"{type(self).__qualname__}({told})"


def _eq(self: Any, other: object) -> bool:
    return self._values == other._values if other.__class__ is self.__class__ else NotImplemented  # type: ignore[attr-defined]


def _hash(self: Any) -> int:
    return hash((self._values,))


def _refuse_to_set(self: Any, name: str, value: object) -> None:
    del self, value
    raise FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Any, name: str) -> None:
    del self
    raise FrozenInstanceError(f"cannot delete field {name!r}")


def _get_state(self: Any) -> list[Any]:
    return [getattr(self, name) for name in self.__slots__]


def _set_state(self: Any, state: list[Any]) -> None:
    for name, value in zip(self.__slots__, state, strict=True):
        _set(self, name, value)


_OF_A_CLASS = frozenset({"__dict__", "__weakref__"})
_SHARED = {
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _get_state,
    "__setstate__": _set_state,
}
