"""Statistics of a text, and the rules that fired, as numbers from 0 to 1 in a fixed order."""

import math
import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Final, get_args

from langchain_lmswitch.policy.wording import Wording
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
_UNSPACED: Final = re.compile("[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

_PASSAGE_SENTENCES: Final = 3
_PASSAGE_CHARS: Final = 120
_FEW_WORDS: Final = 5

_OPENINGS: Final[Mapping[str, frozenset[str]]] = {
    name: frozenset(words.split())
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
_ME: Final = frozenset("i my me i'm ich mein mir je mon moi yo mi mio meu я мне".split())
_YOU: Final = frozenset("you your du dein tu vous te usted ты вы".split())
_THEM: Final = frozenset("he she they his her their him them was were had".split())

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
    long_words = sum(len(word) > 8 for word in said.words) / (len(said.words) + 4)
    if said.text.isascii():
        return (3 * long_words, 0.0, 0.0)
    unspaced = len(_UNSPACED.findall(said.text)) / chars
    return (3 * long_words, unspaced, sum(char > "\u007f" for char in said.text) / chars - unspaced)


def _people(said: Wording) -> tuple[float, ...]:
    share = 8 / (len(said.words) + 4)
    return tuple(
        share * sum(word in people for word in said.words) for people in (_ME, _YOU, _THEM)
    )


def _openings(said: Wording) -> tuple[float, ...]:
    first = said.words[:1]
    return tuple(float(bool(first) and first[0] in words) for words in _OPENINGS.values())
