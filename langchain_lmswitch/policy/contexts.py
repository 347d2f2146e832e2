"""Which contexts a model may be loaded with, when its usual one does not fit."""

from typing import Final

LEAST_TOKENS: Final = 1024
"""Less is of no use: the answer needs room, too."""
_CELL: Final = 256
"""The engine rounds contexts up to whole cells."""


def contexts(wanted_tokens: int, *, least_tokens: int) -> tuple[int, ...]:
    """List the contexts to try, the largest first: each is half of the one before.

    None is smaller than what the request needs at least, nor than `LEAST_TOKENS`.

    Example:
        >>> contexts(8192, least_tokens=1500)
        (8192, 4096, 2048)
        >>> contexts(512, least_tokens=0)
        (512,)
    """
    floor_tokens = max(least_tokens, LEAST_TOKENS)
    found = [wanted_tokens]
    while (half := -(-found[-1] // 2 // _CELL) * _CELL) >= floor_tokens and half < found[-1]:
        found.append(half)
    return tuple(found)
