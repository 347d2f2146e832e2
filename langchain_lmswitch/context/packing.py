"""Packing: which hits are put back, within a budget."""

from collections.abc import Callable, Sequence

from langchain_lmswitch.context.recall import Hit


def pack(
    hits: Sequence[Hit], *, budget_tokens: int, tokens_of: Callable[[Hit], int]
) -> tuple[Hit, ...]:
    """Take the best hits that fit, in the order of time.

    Args:
        hits: Best first.
        budget_tokens: What all of them may take.
        tokens_of: What one takes, with all that is put around it.
    """
    taken, free = [], budget_tokens
    for hit in hits:
        tokens = tokens_of(hit)
        if tokens <= free:
            taken.append(hit)
            free -= tokens
    return tuple(sorted(taken, key=lambda hit: (hit.unit, hit.part)))
