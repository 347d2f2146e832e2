"""Packing: which hits are put back, within a budget."""

from collections.abc import Callable, Sequence
from typing import Final

from langchain_lmswitch.context.recall import Hit

FLOOR: Final = 0.05
"""Of the best score; what is below only costs."""


def pack(
    hits: Sequence[Hit], *, budget_tokens: int, tokens_of: Callable[[Hit], int]
) -> tuple[Hit, ...]:
    """Take the best hits that fit, in the order of time.

    A hit that does not fit makes room for smaller ones after it. What scores less than a
    twentieth of the best is left out, however much room there is.

    Args:
        hits: Best first.
        budget_tokens: What all of them may take.
        tokens_of: What one takes, with all that is put around it.
    """
    taken, free = [], budget_tokens
    least = FLOOR * hits[0].score if hits else 0.0
    for hit in hits:
        if hit.score < least or free <= 0:
            break
        tokens = tokens_of(hit)
        if tokens <= free:
            taken.append(hit)
            free -= tokens
    return tuple(sorted(taken, key=lambda hit: (hit.unit, hit.part)))
