"""Terms: what a text is found by."""
# ruff: noqa: RUF001 - letters and signs of all scripts

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final
from unicodedata import normalize

from langchain_lmswitch.context.stems import stem_of
from langchain_lmswitch.context.stopwords import STOPWORDS

MOST_CHARS: Final = 40
"""Longer words (keys, hashes, encoded data) are found by their beginning."""
_KEPT_WORDS: Final = 50_000

_DENSE: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
"""Scripts without spaces between words; and Korean, whose words carry their endings."""
_RAW: Final = re.compile(
    rf"[{_DENSE}]+|[^\W{_DENSE}]+(?:[\u0300-\u036f'’_.,:/\\@-]+[^\W{_DENSE}]+)*"
)
_DENSE_RUN: Final = re.compile(rf"[{_DENSE}]")
_ACCENTS: Final = re.compile("[\u0300-\u036f]")
_PLAIN: Final = re.compile(r"[^\W\d_]+")
_PIECE: Final = re.compile(r"\d+|[^\W\d_]+")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_THOUSANDS: Final = re.compile(r"(?<=\d),(?=\d{3}\b)")
_SPOKEN: Final = re.compile(r"['’]")


def terms_of(text: str) -> list[str]:
    """Give the terms of a text, in its order, with repeats.

    They are the same for any form of a word, whatever its case and accents. Identifiers,
    paths, versions, numbers and dates are terms as a whole and in their parts.
    """
    return [term for raw in _RAW.findall(text) for term in _terms(raw)]


@lru_cache(_KEPT_WORDS)
def _terms(raw: str) -> tuple[str, ...]:
    if _DENSE_RUN.match(raw):
        return tuple(_grams(normalize("NFKC", raw)))
    plain = raw if raw.isascii() else folded(raw)
    if _PLAIN.fullmatch(plain) and not _HUMP.search(plain):
        return _term(plain.lower())
    return tuple(dict.fromkeys(_compound(_THOUSANDS.sub("", plain))))


def folded(text: str) -> str:
    """Give a text without its accents, and with the usual form of each letter."""
    return normalize("NFC", _ACCENTS.sub("", normalize("NFKD", text))).replace("ß", "ss")


def _term(word: str) -> tuple[str, ...]:
    if word in STOPWORDS:
        return ()
    return (stem_of(word[:MOST_CHARS]),)


def _compound(raw: str) -> Iterator[str]:
    parts = [part for part in _SPOKEN.split(raw) if part]
    if len(parts) > 1:  # don't, Anna's, l'amour
        for part in parts:
            if len(part) > 1:
                yield from _terms(part)
        return
    pieces = [piece for part in _HUMP.split(raw) for piece in _PIECE.findall(part)]
    if len(pieces) > 1:
        yield raw.lower()[:MOST_CHARS]
    for piece in pieces:
        yield from _term(piece.lower()) if not piece.isdigit() else (piece,)


def _grams(run: str) -> Iterator[str]:
    if len(run) == 1:
        yield run
    for at in range(len(run) - 1):
        yield run[at : at + 2]
