"""The language a text is written in, coarsely: by its letters, and by small words."""

import re
from collections.abc import Mapping
from typing import Final

from langchain_lmswitch.policy.wording import Wording, words_in

_SCRIPTS: Final = (
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u3400-\u9fff]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("el", re.compile("[\u0370-\u03ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
)
"""Japanese first: it writes Chinese letters too."""
_LETTER: Final = re.compile("[a-z\u00df-\u024f]")
_WORTH: Final = 3
"""A Chinese letter says more than a Latin one."""

_SMALL_WORDS: Final[Mapping[str, frozenset[str]]] = {
    language: words_in(words)
    for language, words in {
        "en": "the of and to is that it for you with what how this are be have on i my who when "
        "which write find can does from at by",
        "de": "der die das und ist ich nicht ein eine mit wie was zu den dem auf für wer mir bitte "
        "schreibe kann sich wann welche",
        "fr": "le la les et est un une des que je pas pour dans qui du ce comment quelle écris moi "
        "en vous quel",
        "es": "el la los las y es un una que no de en por para con cómo qué cuál escribe mi se del "
        "una quién",
        "it": "il lo la gli e è un una che non di per con come cosa scrivi mi del della quale chi",
        "pt": "o a os as e é um uma que não de em por para com como escreva do da qual você quem",
        "nl": "de het een en is van ik niet dat met hoe wat voor zijn schrijf op naar wie",
        "pl": "i w nie na się jest że do to jak co czy napisz dla kto",
    }.items()
}


def language(said: Wording) -> str:
    """Name the language by its code of two letters; empty if nothing tells.

    1. Letters of another script name it, if they are a quarter of all letters or more.
    2. Else the language most of whose small words are found, if it is one word ahead.
    """
    if not said.text.isascii():
        latin = len(_LETTER.findall(said.lower))
        for code, letters in _SCRIPTS:  # 1
            if _WORTH * len(letters.findall(said.lower)) > latin:
                return code
    found = {code: len(words & said.vocabulary) for code, words in _SMALL_WORDS.items()}  # 2
    first, second = sorted(found, key=lambda code: -found[code])[:2]
    return first if found[first] > found[second] else ""
