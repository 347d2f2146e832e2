"""Statistics of a text, and the rules that fired, as numbers from 0 to 1 in a fixed order."""

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Final, get_args

from langchain_lmswitch.policy.wording import Wording, words_in
from langchain_lmswitch.types.tasks import Request, TaskKind

_NUMBER: Final = re.compile(r"[0-9]+(?:[.,][0-9]+)*")
_YEAR: Final = re.compile(r"\b(?:1[5-9]|20)\d\d\b")
_SENTENCE_END: Final = re.compile("[.!?](?:\\s|$)|[\u3002\uff01\uff1f]")
_MEASURE: Final = re.compile(
    r"[$\u20ac\u00a3]\s?\d|\d\s?(?:%|km|kg|cm|mm|m/s|miles|hours|minutes)\b"
)
_OPERATION: Final = re.compile(
    r"[\d)x](?:\s?[+*^=<>\u00d7]\s?|\s[-/]\s)[\d(x]"  # 24/7 and 2024-11-22 are no sums
)
_SYMBOLS: Final = "{}[]();=<>_*/&|#`"
_FIRST_WORD: Final = re.compile(r"(?:^|[.!?:\n\u2013-]) *[\"'\u00bf(]?([^\W\d_]+)")
"""Of a sentence, or of what follows a greeting."""
_OPENING_CHARS: Final = 300
_UNSPACED: Final = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_PASSAGE_SENTENCES: Final = 3
_PASSAGE_CHARS: Final = 120
_FEW_WORDS: Final = 5
_LONG_WORD: Final = 9

_OPENINGS: Final[Mapping[str, frozenset[str]]] = {
    name: words_in(words)
    for name, words in {
        "who": "who whose wer qui quién quien chi quem кто wie kto",
        "which": "which welche welcher welches quelle quel cuál cual qual quale какая какой",
        "what": "what was que qué cosa что",
        "when or where": "when where wann wo où quand cuándo dónde quando dove onde когда где in",
        "why or how": "why how explain describe define compare warum wieso wie erkläre pourquoi "
        "comment explique cómo explica perché come explique como почему как объясни",
        "an order": "write create make give find implement add fix convert schreibe schreib écris "
        "escribe scrivi escreva напиши complete return generate design build",
    }.items()
}
_SCIENCE: Final = words_in(
    "mole moles molar atom atoms electron electrons proton photon nucleus ion energy velocity "
    "acceleration force voltage current resistance resistor capacitor circuit magnetic electric "
    "wavelength frequency temperature pressure heat gas liquid solution acid base reaction "
    "enthalpy entropy equilibrium compound compounds molecule molecules steam beam shaft motor "
    "engine lens wave waves spring pendulum orbit planet gene genes genetic protein species "
    "organism patient blood disease treatment theory inventory dividend stock bond firm demand "
    "supply elasticity inflation court defendant plaintiff contract statute government"
)
_MATHEMATICS: Final = words_in(
    "integer integers number numbers digit digits polynomial function equation root roots sum "
    "product fraction ratio triangle square circle rectangle polygon hexagon angle area perimeter "
    "diameter radius vertex vertices graph edges matrix vector vectors subspace dimension group "
    "subgroup abelian cyclic ring field ideal homomorphism isomorphic permutation prime divisible "
    "divisor multiple remainder probability dice coin marbles mean median variance random integral "
    "derivative continuous differentiable converges series sequence limit theorem set subset "
    "logarithm log sin cos tan coefficient degrees twice half third altogether total"
)
_ME: Final = words_in("i my me i'm ich mein mir je mon moi yo mi mio meu я мне")
_YOU: Final = words_in("you your du dein tu vous te usted ты вы")
_THEM: Final = words_in("he she they his her their him them was were had")

STATISTICS: Final = (
    "length",
    "lines",
    "digits",
    "numbers",
    "symbols",
    "formulas",
    "operations",
    "measures",
    "choices",
    "blanks",
    "asked at the end",
    "questions",
    "unfinished",
    "small letters only",
    "names",
    "years",
    "quotes",
    "sentences",
    "one sentence",
    "a passage",
    "few words",
    "long words",
    "unspaced letters",
    "other letters",
    "me",
    "you",
    "them",
    "science",
    "mathematics",
    *_OPENINGS,
    "tools",
    "images",
    "structure",
)
"""What each of the first signs counts; after them comes a rule's weight for each task."""

NAMES: Final = (*STATISTICS, *(f"rules: {kind}" for kind in get_args(TaskKind)))


def signs(request: Request, said: Wording, weights: Mapping[TaskKind, float]) -> tuple[float, ...]:
    """Count the signs of a request, in the order of `NAMES`."""
    return tuple(
        round(min(max(value, 0.0), 1.0), 3)
        for value in (
            *_sizes(said),
            *_shapes(said),
            *_sentences(said),
            *_letters(said),
            *_people(said),
            *_fields(said),
            *_openings(said),
            *(float(fact) for fact in (request.tools, request.images, request.structure)),
            *(weights[kind] / 5 for kind in get_args(TaskKind)),
        )
    )


def _sizes(said: Wording) -> tuple[float, ...]:
    chars = max(len(said.text), 1)
    numbers = len(_NUMBER.findall(said.text)) if said.digits else 0
    return (
        math.log10(1 + said.chars) / 5,
        math.log10(1 + said.text.count("\n")) / 2,
        4 * said.digits / chars,
        math.log10(1 + numbers) / 2,
        5 * sum(map(said.text.count, _SYMBOLS)) / chars,
    )


def _shapes(said: Wording) -> tuple[float, ...]:
    text = said.text
    return (
        (text.count("$") + 2 * text.count("\\")) / 8,
        len(_OPERATION.findall(text)) / 4,
        len(_MEASURE.findall(text)) / 4 if said.digits else 0.0,
        said.choices / 5,
        float("__" in text or " _ " in text),
    )


def _sentences(said: Wording) -> tuple[float, ...]:
    text = said.text.rstrip()
    last = text[-1:]
    sentences = len(_SENTENCE_END.findall(text))
    return (
        float(last in {"?", "\uff1f"}),
        (text.count("?") + text.count("\uff1f")) / 4,
        float(last.isalnum() or last in {":", "_", ","}),
        float(text.isascii() and text == text.lower() and "\n" not in text),
        4 * _names(text) / (len(said.words) + 4),
        len(_YEAR.findall(text)) / 3 if said.digits else 0.0,
        (text.count('"') + text.count("\u201c") * 2) / 8,
        math.log10(1 + sentences) / 2,
        float(sentences <= 1 and "\n" not in text),
        float(sentences >= _PASSAGE_SENTENCES and len(text) >= _PASSAGE_CHARS),
        float(len(said.words) <= _FEW_WORDS),
    )


def _names(text: str) -> int:
    return sum(
        word[0].isupper() and before[-1] not in ".?!:" and len(word) > 1
        for before, word in pairwise(text.split())
    )


def _letters(said: Wording) -> tuple[float, ...]:
    chars = max(len(said.text), 1)
    long_words = sum(len(word) >= _LONG_WORD for word in said.words) / (len(said.words) + 4)
    if said.text.isascii():
        return (3 * long_words, 0.0, 0.0)
    unspaced = len(_UNSPACED.findall(said.text)) / chars
    return (3 * long_words, unspaced, sum(char > "\u007f" for char in said.text) / chars - unspaced)


def _people(said: Wording) -> tuple[float, ...]:
    share = 8 / (len(said.words) + 4)
    return tuple(share * _count(said, people) for people in (_ME, _YOU, _THEM))


def _fields(said: Wording) -> tuple[float, ...]:
    return tuple(len(words & said.vocabulary) / 4 for words in (_SCIENCE, _MATHEMATICS))


def _count(said: Wording, words: frozenset[str]) -> int:
    return sum(word in words for word in said.words)


def _openings(said: Wording) -> tuple[float, ...]:
    first = set(_FIRST_WORD.findall(said.lower[:_OPENING_CHARS]))
    return tuple(float(not first.isdisjoint(words)) for words in _OPENINGS.values())
