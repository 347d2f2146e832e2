"""A text, taken apart once for all that reads it: its ends, its words, its signs."""

import re
from dataclasses import dataclass
from typing import Final

READ_CHARS: Final = 1_200
"""Read from each end of a long text: rules are linear in length, and the wish stands at an end."""

_WORD: Final = re.compile("[a-z\u00df-\u00f6\u00f8-\u024f\u0370-\u03ff\u0400-\u06ff]+")

_CHOICE: Final = re.compile(r"[\s(]([A-Ha-h])[).:] ?\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """What is read of a text."""

    text: str
    """Its beginning and end."""
    lower: str
    """The same in small letters, between two spaces, so that a phrase can ask for its edges."""
    words: tuple[str, ...]
    """The words of scripts that put spaces between them, in small letters."""
    vocabulary: frozenset[str]
    digits: int
    choices: int
    """How many different letters stand before answers to choose from."""
    chars: int
    """Of the whole text."""


def wording(text: str) -> Wording:
    """Take a text apart."""
    read = ends(text, READ_CHARS)
    lower = f" {read.lower()} "
    words = tuple(_WORD.findall(lower))
    return Wording(
        text=read,
        lower=lower,
        words=words,
        vocabulary=frozenset(words),
        digits=sum(map(read.count, "0123456789")),
        choices=len(set(_CHOICE.findall(read))),
        chars=len(text),
    )


def ends(text: str, chars: int) -> str:
    """Beginning and end of a long text, so many characters each."""
    if len(text) <= 2 * chars:
        return text
    return f"{text[:chars]}\n{text[-chars:]}"


def words_in(text: str) -> frozenset[str]:
    """Give the words of a list that is written as one text."""
    return frozenset(text.split())
