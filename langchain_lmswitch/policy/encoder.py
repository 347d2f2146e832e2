"""A small static encoder of text: a table of word pieces and the layers above it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

UNSPACED: Final = "[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
"""Thai, Japanese, Chinese and Korean letters: a piece of them does not mark a word's start."""

START: Final = "\u2581"
"""Begins a piece that begins a word."""

_WORD: Final = re.compile(rf"{UNSPACED}+|(?:(?!{UNSPACED})[^\W\d_])+|\d+|[^\w\s]|_")
_MOST_LETTERS: Final = 48
"""Of a word of a spaced script; what is longer is no word."""
_KNOWN_WORDS: Final = 20_000


class Encoder:
    """Turns text into numbers, without regard to the order of its words.

    1. The text is split into words, numbers and signs, and each into the longest pieces known.
    2. The rows of the pieces are added up and divided by the root of their number.
    3. Four layers, those of the teacher, turn the sum into the answer.
    4. The answer is turned onto its main directions and made of unit length.
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        names = arrays["pieces"].tobytes().decode().split("\n")
        self._numbers = {name: number for number, name in enumerate(names)}
        self._longest: dict[str, int] = {}
        for bare in (name.removeprefix(START) for name in names):
            self._longest[bare[0]] = max(len(bare), self._longest.get(bare[0], 0))
        self._table = arrays["table"]
        self._entry = arrays["entry"].astype(np.float32)
        self._first, self._second, self._narrow, self._wide, self._turn = (
            _weights(arrays, name) for name in ("first", "second", "narrow", "wide", "turn")
        )
        self._center = arrays["center"] @ self._turn
        self._pieces_of = lru_cache(_KNOWN_WORDS)(lambda word: tuple(self._split(word)))

    def encode(self, text: str) -> Floats:
        """Give the vector of a text; of length 0 if no piece of it is known."""
        pieces = self.pieces(text)
        if not pieces:
            return np.zeros(self._turn.shape[1], np.float32)
        turned: Floats = self.answer(pieces) @ self._turn - self._center  # 4
        return turned / max(float(np.sqrt(turned @ turned)), 1e-9)

    def pieces(self, text: str) -> list[int]:
        """Split a text into numbers of pieces."""  # 1
        found: list[int] = []
        for word in _WORD.findall(text.lower()):
            found += self._pieces_of(word)
        return found

    def answer(self, pieces: Sequence[int]) -> Floats:
        """Give what the teacher would, as near as can be; of unit length."""
        count, width = len(pieces), self._table.shape[1]
        entering = np.empty(width + 2, np.float32)  # 2
        entering[:width] = self._table[pieces].sum(0, dtype=np.float32)
        entering[width:] = count, 1
        seen = (entering / np.sqrt(count + 2, dtype=np.float32)) @ self._entry  # 3
        half = len(seen) // 2
        first = _rectified(seen[:half] + _rectified(seen[half:]) @ self._first)
        both = np.concatenate([first, _rectified(first @ self._second)])
        answer: Floats = np.tanh(both @ self._narrow @ self._wide)
        answer /= np.sqrt(answer @ answer)
        return answer

    def _split(self, word: str) -> Iterator[int]:
        at, start = 0, START
        if len(word) > _MOST_LETTERS and not re.match(UNSPACED, word):
            return
        while at < len(word):
            length = self._known(word, at, start)
            if length:
                yield self._numbers[start + word[at : at + length]]
                at += length
            elif not start:
                at += 1
            start = ""

    def _known(self, word: str, at: int, start: str) -> int:
        most = min(self._longest.get(word[at], 0), len(word) - at)
        for length in range(most, 0, -1):
            if start + word[at : at + length] in self._numbers:
                return length
        return 0


def _weights(arrays: Mapping[str, NDArray[Any]], name: str) -> Floats:
    return np.ascontiguousarray(arrays[name] * arrays[f"{name}_scale"], np.float32)


def _rectified(values: Floats) -> Floats:
    return np.maximum(values, 0)
