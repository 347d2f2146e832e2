"""Which model a name means. Pure."""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Final

from langchain_lmswitch.errors import UnknownModel
from langchain_lmswitch.types.models import ModelCard, ModelKind, Resident

_WORD: Final = re.compile(r"[^\W\d_]+")
_FEW: Final = 3
_SIMILAR: Final = 0.4
_SIMILAR_WORD: Final = 0.75
"""Words are short, and many have half their letters in common."""


def find_card(
    name: str,
    cards: Sequence[ModelCard],
    *,
    residents: Iterable[Resident] = (),
    kind: ModelKind | None = "llm",
) -> ModelCard:
    """Find the card that a caller names; if `kind` is `None`, of models of any kind.

    1. A key.
    2. The identifier of a loaded instance.
    3. A part of one key only, whatever its case: `coder` where there is one coder. Where models of
       any kind are meant, a part of a chat model's key goes before one of an embedding model's.

    Raises:
        UnknownModel: It names none, or several; the error names the nearest keys.
    """
    by_key = _by_key(cards, kind)
    identifiers = {one.identifier: one.key for one in residents}
    for key in (name, identifiers.get(name)):  # 1, 2
        if key in by_key:
            return by_key[key]
    parts = [key for key in by_key if name and name.lower() in key.lower()]
    parts = [key for key in parts if by_key[key].kind == "llm"] or parts
    if len(parts) == 1:  # 3
        return by_key[parts[0]]
    raise UnknownModel(name, nearest=nearest(name, by_key))


def card_of(key: str, cards: Sequence[ModelCard], *, kind: ModelKind = "llm") -> ModelCard:
    """Find the card of exactly this key.

    Raises:
        UnknownModel: There is none; the error names the nearest keys.
    """
    by_key = _by_key(cards, kind)
    if key not in by_key:
        raise UnknownModel(key, nearest=nearest(key, by_key))
    return by_key[key]


def nearest(name: str, keys: Iterable[str]) -> list[str]:
    """List the keys that were probably meant.

    1. Those that contain the name.
    2. Similar ones.
    3. Those of which one word is similar: `codr` where there is a `qwen2.5-coder-7b-instruct`.
    """
    known = list(keys)
    containing = [key for key in known if name and name.lower() in key.lower()]
    similar = difflib.get_close_matches(name, known, n=_FEW, cutoff=_SIMILAR)
    return containing[:_FEW] or similar or _with_such_a_word(name.lower(), known)[:_FEW]


def _with_such_a_word(name: str, keys: Sequence[str]) -> list[str]:
    return [
        key
        for key in keys
        if difflib.get_close_matches(name, _WORD.findall(key.lower()), cutoff=_SIMILAR_WORD)
    ]


def _by_key(cards: Sequence[ModelCard], kind: ModelKind | None) -> dict[str, ModelCard]:
    return {card.key: card for card in cards if kind in (None, card.kind)}
