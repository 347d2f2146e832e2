"""Standing instructions: what the user wants from now on, not only in this turn."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from langchain_lmswitch.context.contents import text_of
from langchain_lmswitch.context.units import Unit

_MOST_CHARS: Final = 400
_KEPT_TEXTS: Final = 20_000
"""Evicted messages are asked for it again each turn."""
_SENTENCE: Final = re.compile(r"[^.!?。！？\n]+[.!?。！？]?")
_LASTING: Final = re.compile(
    r"\b(always|never|from now on|every time|whenever|at all times|in (?:all )?future"
    r"|ab jetzt|von nun an|ab sofort|immer wenn|künftig|in zukunft"
    r"|à partir de maintenant|désormais|toujours|dorénavant"
    r"|a partir de ahora|siempre|de ahora en adelante|sempre|d'ora in poi"
    r"|всегда|никогда|отныне|впредь)\b|从现在起|以后都|以后请|总是|永远不要|每次都|今後は|これからは|常に|必ず",
    re.IGNORECASE,
)
_TOLD: Final = re.compile(
    r"^\W*(?:and |also |but |please |ok(?:ay)?,? )*"
    r"(?:always|never|from now on|whenever|every time|at all times|remember|in (?:all )?future"
    r"|make sure|ensure|please|do not|don't|use |answer|reply|respond|write|format|include|call me"
    r"|bitte|ab jetzt|von nun an|ab sofort|künftig|antworte|schreib|nenne|verwende|benutze"
    r"|à partir de|désormais|réponds|utilise|s'il te|a partir de|de ahora|responde|usa |sempre"
    r"|d'ora"
    r"|всегда|никогда|отныне|впредь|отвечай|пиши|пожалуйста)"
    r"|\b(?:you (?:should|must|can|may)|i (?:want|need|would like|'d like|expect) you"
    r"|your (?:answers?|replies|responses))\b"
    r"|请|不要|务必|ください|して(?:ね|下さい)|答えて",
    re.IGNORECASE,
)


def standing(units: Iterable[Unit]) -> list[str]:
    """List the user's standing instructions, sentence by sentence, in the order of time.

    A sentence is one if it says how long it holds (`always`, `from now on`) and tells the model to
    do something: `I always walk to work` is none.
    """
    said = dict.fromkeys(
        sentence
        for unit in units
        if unit.asks
        for sentence in _sentences(text_of(unit.messages[0]))
    )
    return list(said)


@lru_cache(_KEPT_TEXTS)
def _sentences(text: str) -> tuple[str, ...]:
    if not _LASTING.search(text):
        return ()
    said = (found.group().strip() for found in _SENTENCE.finditer(text))
    return tuple(
        one
        for one in said
        if len(one) <= _MOST_CHARS and _LASTING.search(one) and _TOLD.search(one)
    )
