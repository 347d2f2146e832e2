"""Priors: what is worth recalling whatever is asked."""

import re
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from langchain_lmswitch.context.segments import Passage

RULE_WORTH: Final = 0.3
"""What a standing instruction scores, whatever is asked."""
_NAMED: Final = 2.0
_USER: Final = 2.0
_BARE: Final = 0.8
_BARE_CHARS: Final = 150

_RULE: Final = re.compile(
    r"\b(?:always|never|from now on|going forward|in (?:the )?future|whenever|every time|each time"
    r"|make sure|remember (?:that|to)|(?:i|we)(?:'d| would)? (?:prefer|like it when|want you to)"
    r"|(?:please )?(?:don't|do not|avoid) (?:ever|use|using|include|mention)"
    r"|immer|nie(?:mals)?|ab (?:jetzt|sofort)|künftig|jedes ?mal|merk dir|ich bevorzuge|bitte nur"
    r"|toujours|jamais|désormais|dorénavant|à chaque fois|je préfère|souviens-toi"
    r"|siempre|nunca|a partir de ahora|de ahora en adelante|cada vez|prefiero|recuerda que"
    r"|sempre|mai più|d'ora in poi|ogni volta|preferisco|ricorda(?:ti)? che"
    r"|a partir de agora|toda vez|prefiro|lembre-se"
    r"|altijd|nooit|voortaan|elke keer"
    r"|всегда|никогда|отныне|впредь|каждый раз|предпочитаю|запомни"
    r"|zawsze|nigdy|od teraz|za każdym razem)\b"
    r"|以后都|从现在起|从今以后|总是|永远不要|每次|请记住|我更喜欢|今後は|これからは|常に|いつも|絶対に|必ず|覚えて"
    r"|항상|앞으로는|절대|매번|기억해",
    re.IGNORECASE,
)


def is_rule(text: str) -> bool:
    """Tell whether a text sounds like an instruction for all that follows, or a preference."""
    return _RULE.search(text) is not None


def is_bare(text: str) -> bool:
    """Tell whether a text is a short question: the answer to it tells more."""
    return len(text) < _BARE_CHARS and text.endswith(("?", "？", "؟"))


def factor(passage: "Passage", names: AbstractSet[str], *, roles: bool) -> float:
    """Tell how much more than another a passage counts that matches as well.

    1. A turn of a speaker whom the question names counts twice.
    2. So does one of the user where a user and an assistant talk: their facts matter most.
    3. A short question counts a little less.
    """
    worth = 1.0
    if passage.speaker in names:  # 1
        worth *= _NAMED
    if roles and passage.asked:  # 2
        worth *= _USER
    return worth * _BARE if passage.bare else worth  # 3
