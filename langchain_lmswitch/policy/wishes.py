"""Which models a caller means by `prefer` and `require`. Pure."""

import re
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Final

from langchain_lmswitch.types.models import ModelCard

_ABILITIES: Final[Mapping[str, Callable[[ModelCard], bool]]] = {
    "vision": lambda card: card.vision,
    "tools": lambda card: card.tool_use,
    "tool grammar": lambda card: card.tool_grammar,
}


@lru_cache(maxsize=1024)
def abilities(card: ModelCard) -> tuple[str, ...]:
    """Name what a model can do beside text."""
    return tuple(name for name, has in _ABILITIES.items() if has(card))


def is_ability(wish: str) -> bool:
    """Tell whether a wish is the name of an ability, not of models."""
    return wish.strip().lower() in _ABILITIES


def matches(card: ModelCard, wish: str) -> bool:
    """Tell whether a model is what a caller means.

    1. The name of an ability means every model that has it.
    2. A word with `*`, `?` or `[` is a glob over the whole key.
    3. Any other word is a part of the key. Case does not matter.
    """
    word, key = wish.strip().lower(), card.key.lower()
    if word in _ABILITIES:  # 1
        return _ABILITIES[word](card)
    if any(sign in word for sign in "*?["):  # 2
        return fnmatchcase(key, word)
    return bool(word) and word in key  # 3


def exactly(key: str) -> str:
    """Write a wish that means the model of this key and no other.

    Example:
        >>> exactly("qwen")
        '[q]wen'
    """
    return re.sub(r"^.|[*?[]", r"[\g<0>]", key)


def unmet(card: ModelCard, required: Sequence[str]) -> tuple[str, ...]:
    """Name the requirements that a model does not meet.

    It must have every ability that is named, and be one of the models that are named.
    """
    wanted = [wish for wish in required if is_ability(wish)]
    models = [wish for wish in required if not is_ability(wish)]
    missing = [f"lacks {wish!r}, which you require" for wish in wanted if not matches(card, wish)]
    if models and not any(matches(card, wish) for wish in models):
        missing.append(f"is none of {', '.join(map(repr, models))}, which you require")
    return tuple(missing)
