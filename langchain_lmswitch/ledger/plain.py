"""Frozen values as JSON values, without what is as usual, and as bytes."""

import json
import zlib
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, Final

_LEVEL: Final = 6
_MOST_BYTES: Final = 16 * 2**20
_USUAL: Final = object()


def plain(value: Any) -> Any:
    """Write a value as JSON values; fields that have their default are left out."""
    match value:
        case str() | int() | float() | None:
            return value
        case Mapping():
            return {str(key): plain(one) for key, one in value.items()}
        case tuple() | list():
            return [plain(one) for one in value]
        case set() | frozenset():
            return sorted(map(plain, value))
        case _ if is_dataclass(value) and not isinstance(value, type):
            return {
                name: plain(one)
                for name, usual in _fields(type(value))
                if (one := getattr(value, name)) != usual
            }
        case _:
            msg = f"{type(value).__name__} cannot be written as JSON."
            raise TypeError(msg)


def packed(value: Any) -> bytes:
    """Write a value as compressed JSON: models and loads repeat their field names."""
    text = json.dumps(plain(value), separators=(",", ":"))
    return zlib.compress(text.encode("ascii"), _LEVEL)


def unpacked(data: bytes) -> Any:
    """Read JSON values back.

    Raises:
        ValueError: It is something else.
    """
    try:
        return json.loads(unpacked_text(data))
    except RecursionError as error:
        msg = f"This is no packed value: {error}"
        raise ValueError(msg) from error


def unpacked_text(data: bytes) -> str:
    """Read the JSON of a packed value; a few bytes of a damaged file may be endless text.

    Raises:
        ValueError: It is something else, or longer than anything that is written here.
    """
    unpacking = zlib.decompressobj()
    try:
        text = unpacking.decompress(data, _MOST_BYTES).decode("ascii")
    except (zlib.error, TypeError, ValueError) as error:
        msg = f"This is no packed value: {error}"
        raise ValueError(msg) from error
    if not unpacking.eof:
        raise ValueError("This is no packed value: it is cut off, or too long")
    return text


@cache
def _fields(kind: Any) -> tuple[tuple[str, Any], ...]:
    return tuple((one.name, _default(one)) for one in fields(kind))


def _default(field: Field[Any]) -> Any:
    if field.default is not MISSING:
        return field.default
    return _USUAL if field.default_factory is MISSING else field.default_factory()
