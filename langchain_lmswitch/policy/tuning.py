"""What the user's tables say of one model. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from langchain_lmswitch.policy.wishes import matches
from langchain_lmswitch.settings.models import ModelSettings
from langchain_lmswitch.types.models import ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """What holds for one model; what is `None` is as for all the others."""

    pinned: bool = False
    """Whether it is never unloaded to make room."""
    most_context_tokens: int | None = None
    """What it is loaded with in place of the usual context, and the most that it may have."""
    parallel: int | None = None
    """Requests that it answers at the same time."""
    ttl_s: float | None = None
    """Idle seconds after which it is unloaded; 0 is never."""


_UNTUNED = Tuning()


def tuned(card: ModelCard, tables: Sequence[ModelSettings]) -> Tuning:
    """Put together what the tables say that mean a model; see `policy.wishes.matches`.

    Each field is of the first of them that says anything of it: one table for `qwen*` and one for
    a single model before it need not repeat each other.

    Example:
        >>> one = ModelSettings(models="qwen-7b", max_context=4096)
        >>> all_of_them = ModelSettings(models="qwen*", max_context=16384, parallel=2)
        >>> tuned(ModelCard(key="qwen-7b"), [one, all_of_them])
        Tuning(pinned=False, most_context_tokens=4096, parallel=2, ttl_s=None)
    """
    meant = [one for one in tables if matches(card, one.models)]
    if not meant:
        return _UNTUNED
    return Tuning(
        pinned=pinned_by(card, meant) is not None,
        most_context_tokens=_first("max_context", meant),
        parallel=_first("parallel", meant),
        ttl_s=_first("ttl_s", meant),
    )


def pinned_by(card: ModelCard, tables: Sequence[ModelSettings]) -> str | None:
    """Name the table that pins a model; `None` if none does, or one before it says otherwise."""
    saying = (one for one in tables if "pin" in one.model_fields_set and matches(card, one.models))
    first = next(saying, None)
    return first.models if first is not None and first.pin else None


def capped(card: ModelCard, tables: Sequence[ModelSettings]) -> ModelCard:
    """Take from a card the context that the model may not have.

    All who ask whether a request fits read the card: nobody else needs to know of the tables.
    """
    most_tokens = tuned(card, tables).most_context_tokens
    if most_tokens is None or 0 < card.max_context_tokens <= most_tokens:
        return card
    return replace(card, max_context_tokens=most_tokens, capped=True)


def _first(field: str, meant: Sequence[ModelSettings]) -> Any:
    said = (getattr(one, field) for one in meant if field in one.model_fields_set)
    return next((value for value in said if value is not None), None)
