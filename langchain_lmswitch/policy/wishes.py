"""Which models a caller means by `prefer` and `require`. Pure."""

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Final

from langchain_lmswitch.types.models import ModelCard

_ABILITIES: Final[Mapping[str, Callable[[ModelCard], bool]]] = {
    "vision": lambda card: card.vision,
    "tools": lambda card: card.tool_use,
    "tool grammar": lambda card: card.tool_grammar,
}


def abilities(card: ModelCard) -> tuple[str, ...]:
    """Name what a model can do beside text."""
    return tuple(name for name, has in _ABILITIES.items() if has(card))


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


def unmet(card: ModelCard, required: Sequence[str]) -> tuple[str, ...]:
    """Name the requirements that a model does not meet.

    It must have every ability that is named, and be one of the models that are named.
    """
    wanted = [wish for wish in required if wish.strip().lower() in _ABILITIES]
    models = [wish for wish in required if wish.strip().lower() not in _ABILITIES]
    missing = [f"lacks {wish!r}, which you require" for wish in wanted if not matches(card, wish)]
    if models and not any(matches(card, wish) for wish in models):
        missing.append(f"is none of {', '.join(map(repr, models))}, which you require")
    return tuple(missing)
