"""Now and then a loaded model of which little is known gets a chance. Pure."""

import hashlib
from collections.abc import Collection, Mapping
from typing import Final

from langchain_lmswitch.types.grades import Expected

_MOST_POINTS: Final = 0.1
"""Hope has bounds: of what is known to be ten points worse nothing is to be learnt."""


def curiosity(
    expected: Mapping[str, Expected], *, resident: Collection[str], number: int, share: float
) -> dict[str, float]:
    """Give points to what might be better than it is expected to be.

    1. A share of the requests tries something, evenly spread. There is no die: the same ledger
       decides the same.
    2. Only those in memory gain: nothing is loaded, and nobody leaves, for a try.
    3. Each gains some part of the standard deviation of what is not known about it, within bounds.

    Args:
        expected: By key, how good each answer is expected to be.
        resident: Keys of those in memory.
        number: How many answers there were before.
        share: Of the requests, 0 to 1.
    """
    if int((number + 1) * share) == int(number * share):  # 1
        return {}
    points = {
        key: round(min(one.spread, _MOST_POINTS) * _chance(number, key), 4)  # 3
        for key, one in expected.items()
        if key in resident  # 2
    }
    return {key: gain for key, gain in points.items() if gain}


def _chance(number: int, key: str) -> float:
    """Give a number from 0 to 1 that looks like chance."""
    digest = hashlib.blake2b(f"{number} {key}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32
