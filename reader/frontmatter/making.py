"""Frozen dataclasses, made fast.

A frozen dataclass sets each field through ``object.__setattr__``, which came to
a sixth of the time a file takes. So the object is filled as one of an open
class with the same slots, and becomes what it is when it is whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, make_dataclass
from typing import Any, TypeVar

T = TypeVar("T")


def maker(frozen: type[T]) -> Callable[..., T]:
    """A function like *frozen* itself, for all its fields in their order; no defaults, no keywords."""
    names = [field.name for field in fields(frozen)]  # type: ignore[arg-type]
    filled: Any = make_dataclass(f"_Open{frozen.__name__}", names, slots=True)

    def make(*values: Any) -> T:
        made = filled(*values)
        made.__class__ = frozen
        return made  # type: ignore[no-any-return]

    return make
