"""How close passages are to a question, by their vectors in a compact form.

A vector is kept as one byte for each of its numbers: 512 bytes where a tuple of floats takes 16 KB.
Import this where there are vectors only: it brings numpy.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MOST: Final = 127
"""What the largest number of a vector becomes."""
BEFORE: Final = 0.5
"""What the passage before counts."""
BELOW: Final = 2.0
"""Standard deviations below the mean, where nothing is close any more."""
_BLOCK: Final = 512
"""Rows that are multiplied at once: their bytes become floats for it, four times as large."""
_TINY: Final = 1e-9


def packed(vectors: Sequence[Sequence[float]]) -> list[bytes]:
    """Make vectors compact; their lengths are lost."""
    if len(vectors) == 0:
        return []
    rows = np.asarray(vectors, np.float32)
    largest = np.abs(rows).max(axis=1, keepdims=True)
    scaled = np.rint(rows * (_MOST / np.maximum(largest, _TINY))).astype(np.int8)
    return [row.tobytes() for row in scaled]


def closeness(question: bytes, passages: Sequence[bytes]) -> list[float]:
    """Tell how close each passage is to a question: the closest is 1.

    0 is two standard deviations below the mean, since with some models all cosines are high. If
    none is closer than another, all are 0.

    Args:
        question: A vector as `packed` makes it.
        passages: Vectors in the order of time, or any number of them joined.
    """
    cosines = similarities(question, passages)
    if not cosines.size:
        return []
    above = np.maximum(cosines - (cosines.mean() - BELOW * cosines.std()), 0.0)
    found: list[float] = (above / max(float(above.max()), _TINY)).tolist()
    return found


def similarities(question: bytes, passages: Sequence[bytes]) -> Floats:
    """Give the cosine of each passage with a question; arguments as of `closeness`.

    A passage is understood together with the one before, which it may answer: half of that one is
    added to it. Embedding both once more as one text finds no more (measured).
    """
    asked = np.frombuffer(question, np.int8).astype(np.float32)
    asked /= max(float(np.sqrt(asked @ asked)), _TINY)
    rows = np.frombuffer(b"".join(passages), np.int8).reshape(-1, len(asked))
    own, beside = _products(rows, asked)
    both = own.copy()
    both[1:] = own[1:] + BEFORE * own[:-1]
    both[1:] /= np.sqrt(1 + BEFORE**2 + 2 * BEFORE * beside[1:])  # the length of the sum
    return both


def _products(rows: NDArray[np.int8], asked: Floats) -> tuple[Floats, Floats]:
    """Give the cosine of each row with a question, and with the row before; 0 for the first."""
    own, beside, lengths = np.zeros((3, len(rows)), np.float32)
    for start in range(0, len(rows), _BLOCK):
        some = rows[start : start + _BLOCK + 1].astype(np.float32)  # with one of the next block
        end = start + len(some)
        own[start:end] = some @ asked
        beside[start + 1 : end] = np.einsum("ij,ij->i", some[1:], some[:-1])
        lengths[start:end] = np.sqrt(np.einsum("ij,ij->i", some, some))
    lengths = np.maximum(lengths, _TINY)
    own /= lengths
    beside[1:] /= lengths[1:] * lengths[:-1]
    return own, beside
