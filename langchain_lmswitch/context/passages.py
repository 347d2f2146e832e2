"""Passages: the pieces of a message that are recalled, word for word."""

import re
from collections.abc import Iterator
from typing import Final

MOST_CHARS: Final = 700
"""About 110 words; a message up to half as long again is one passage."""
_SLACK: Final = 1.5
_DENSE_CHARS: Final = 3
"""A character of a script without spaces says about as much as three letters."""
_WIDE: Final = re.compile(r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_FENCE: Final = re.compile(r"^ *(?:```|~~~).*?(?:^ *(?:```|~~~) *$|\Z)", re.MULTILINE | re.DOTALL)
_END: Final = re.compile(r"\n+|(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])")
_SPACE: Final = re.compile(r"\s+")

Span = tuple[int, int]


def passages_of(text: str) -> tuple[Span, ...]:
    """Split a text into passages: spans of it, in order, that leave out nothing but space.

    1. A text of up to 165 words is one.
    2. Else it is cut at the ends of lines and sentences, so that each has about 110 words.
    3. A code block is not cut unless it is longer than that.
    4. What has neither lines nor sentences is cut at spaces, else anywhere.
    """
    most = _most(text)
    if len(text) <= most * _SLACK:  # 1
        return _stripped(text, ((0, len(text)),))
    pieces = [part for piece in _pieces(text, most) for part in _halved(text, piece, most)]
    return _stripped(text, _joined(pieces, most))


def _most(text: str) -> int:
    wide = len(_WIDE.findall(text))
    return MOST_CHARS // _DENSE_CHARS if wide * 2 > len(text) else MOST_CHARS


def _pieces(text: str, most: int) -> Iterator[Span]:
    at = 0
    for fence in _FENCE.finditer(text):  # 3
        yield from _cut(text, at, fence.start())
        if fence.end() - fence.start() <= most * _SLACK:
            yield fence.span()
        else:
            yield from _cut(text, *fence.span())
        at = fence.end()
    yield from _cut(text, at, len(text))


def _cut(text: str, start: int, end: int) -> Iterator[Span]:
    for found in _END.finditer(text, start, end):  # 2
        if found.end() > start:
            yield start, found.end()
            start = found.end()
    if start < end:
        yield start, end


def _halved(text: str, piece: Span, most: int) -> Iterator[Span]:
    start, end = piece
    while end - start > most * _SLACK:  # 4
        spaces = [found.end() for found in _SPACE.finditer(text, start + most // 2, start + most)]
        cut = spaces[-1] if spaces else start + most
        yield start, cut
        start = cut
    yield start, end


def _joined(pieces: list[Span], most: int) -> list[Span]:
    found: list[Span] = []
    for start, end in pieces:
        if found and end - found[-1][0] <= most:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return found


def _stripped(text: str, spans: tuple[Span, ...] | list[Span]) -> tuple[Span, ...]:
    found = []
    for start, end in spans:
        piece = text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        right = start + len(piece.rstrip())
        if left < right:
            found.append((left, right))
    return tuple(found)
