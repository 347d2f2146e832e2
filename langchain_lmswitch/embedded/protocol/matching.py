"""Which models a name or a query means."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.types.models import ModelCard

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A wish for a loaded model; what is `None` does not matter."""

    identifier: str | None = None
    path: str | None = None
    domain: str | None = None
    vision: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One very instance."""

    reference: str


def specifier(wire: Any) -> Query | Reference:
    """Read a model specifier.

    Raises:
        InvalidRequest: It is none.
    """
    match wire:
        case {"type": "instanceReference", "instanceReference": str(reference)}:
            return Reference(reference=reference)
        case {"type": "query", "query": Mapping() as query}:
            names = ("identifier", "path", "domain", "vision")
            return Query(**{name: query.get(name) for name in names})
        case _:
            raise InvalidRequest("The model specifier is neither a query nor a reference.")


def matches(query: Query, card: ModelCard, *, identifier: str) -> bool:
    """Whether a loaded model answers to a query."""
    return (
        (
            query.identifier is None
            or identifier == query.identifier
            or named(card, query.identifier)
        )
        and (query.path is None or _under(card.path, query.path))
        and query.domain in (None, card.kind)
        and query.vision in (None, card.vision)
    )


def named(card: ModelCard, name: str) -> bool:
    """Whether a name means a model: its key, or the beginning of its path, in any case."""
    return name == card.key or _under(card.path, name)


def best(candidates: Iterable[tuple[T, ModelCard, str]], query: Query) -> T | None:
    """Choose among loaded models.

    1. An identifier that is exactly the one asked for.
    2. A model key that is.
    3. Whatever else matches, the first one.
    """
    found = [
        (item, card, name)
        for item, card, name in candidates
        if matches(query, card, identifier=name)
    ]
    exact = [item for item, _, name in found if name == query.identifier]  # 1
    keyed = [item for item, card, _ in found if card.key == query.identifier]  # 2
    rest = [item for item, _, _ in found]  # 3
    return next(iter((*exact, *keyed, *rest)), None)


def _under(path: str, prefix: str) -> bool:
    """Whether `prefix` is a path or the folders it begins with, without regard to case."""
    path, prefix = path.lower(), prefix.lower().rstrip("/")
    return bool(prefix) and (path == prefix or path.startswith(prefix + "/"))
