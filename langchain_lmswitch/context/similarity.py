"""How close passages are to a question, by their vectors in a compact form.

A vector is kept as one byte for each of its numbers: 512 bytes where a tuple of floats takes 16 KB.
Import this where there are vectors only: it brings numpy.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

_MOST: Final = 127
"""What the largest number of a vector becomes."""
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

    0 is one standard deviation below the mean, since with some models all cosines are high. If
    none is closer than another, all are 0.

    Args:
        question: A vector as `packed` makes it.
        passages: Vectors, or any number of them joined.
    """
    cosines = np.asarray(similarities(question, passages), np.float32)
    if not cosines.size:
        return []
    above = np.maximum(cosines - (cosines.mean() - cosines.std()), 0.0)
    found: list[float] = (above / max(float(above.max()), _TINY)).tolist()
    return found


def similarities(question: bytes, passages: Sequence[bytes]) -> list[float]:
    """Give the cosine of each passage with a question; arguments as of `closeness`."""
    asked = np.frombuffer(question, np.int8).astype(np.float32)
    asked /= max(float(np.sqrt(asked @ asked)), _TINY)
    rows = np.frombuffer(b"".join(passages), np.int8).reshape(-1, len(asked))
    return [cosine for some in _blocks(rows) for cosine in _cosines(some, asked)]


def _blocks(rows: NDArray[np.int8]) -> Iterator[Floats]:
    for start in range(0, len(rows), _BLOCK):
        yield rows[start : start + _BLOCK].astype(np.float32)


def _cosines(rows: Floats, asked: Floats) -> list[float]:
    lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    found: list[float] = (rows @ asked / np.maximum(lengths, _TINY)).tolist()
    return found
