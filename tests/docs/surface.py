"""What is public, and what is to be read of it."""

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import langchain_lmswitch
from langchain_lmswitch import errors, testing, types


@dataclass(frozen=True, slots=True, kw_only=True)
class Public:
    """A name that users may import, and what it stands for."""

    name: str
    value: Any


def public() -> list[Public]:
    """List the classes and functions that users may import; each once."""
    found = {id(one.value): one for one in (*_top(), *_testing(), *_errors(), *_types())}
    return sorted(found.values(), key=lambda one: one.name)


def members(one: Public) -> Iterator[tuple[str, Any]]:
    """Go through the public methods and properties of a class that this package wrote."""
    for owner in inspect.getmro(one.value) if inspect.isclass(one.value) else ():
        if _ours(owner):
            for name, value in vars(owner).items():
                plain = getattr(value, "__func__", value)
                method = inspect.isfunction(plain) and _ours(plain)
                if not name.startswith("_") and (method or isinstance(value, property)):
                    yield f"{one.name}.{name}", plain


def _ours(value: Any) -> bool:
    return str(value.__module__).startswith("langchain_lmswitch")


def _kept(place: Any, names: list[str]) -> Iterator[Public]:
    for name in names:
        value = getattr(place, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            yield Public(name=f"{place.__name__}.{name}", value=value)


def _top() -> Iterator[Public]:
    yield from _kept(langchain_lmswitch, dir(langchain_lmswitch))


def _testing() -> Iterator[Public]:
    yield from _kept(testing, testing.__all__)


def _errors() -> Iterator[Public]:
    yield from _kept(errors, _defined(errors))


def _types() -> Iterator[Public]:
    for found in pkgutil.iter_modules(types.__path__, f"{types.__name__}."):
        if not found.ispkg:
            module = importlib.import_module(found.name)
            yield from _kept(module, _defined(module))


def _defined(module: Any) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == module.__name__
    ]
