"""Frozen values from the plain mappings that they were written as."""

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter

T = TypeVar("T")

_adapters: dict[type, TypeAdapter[Any]] = {}


def revive(kind: type[T], mapping: Mapping[str, Any]) -> T:
    """Read a frozen value back from its mapping.

    Args:
        kind: Its dataclass.
        mapping: What `dataclasses.asdict` made of it, also after a way through JSON.

    Raises:
        ValidationError: Pydantic's: the mapping is of something else.
    """
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    value: T = _adapters[kind].validate_python(mapping)
    return value
