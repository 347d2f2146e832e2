"""Now and then a loaded model of which little is known gets a chance. Pure."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from langchain_lmswitch.types.grades import Expected

_HOPE: Final = 1.0
"""Standard deviations by which a model may be better than it is expected to be."""
_MOST_SPREAD: Final = 0.1
"""Hope has bounds: of what is known to be ten points worse nothing is to be learnt."""
TRIED: Final = "tried out"


def turn_to_explore(number: int, share: float) -> bool:
    """Tell whether a request is one of the share that tries something.

    Args:
        number: How many answers there were before it: the same ledger decides the same.
        share: 0 to 1; the requests are spread evenly.
    """
    return int((number + 1) * share) > int(number * share)


def hopeful(
    expected: Mapping[str, Expected], *, resident: Collection[str], number: int
) -> dict[str, Expected]:
    """Hope the best of models in memory, each by some part of what is not known about it.

    1. Only those in memory gain: nothing is loaded, and nobody leaves, for a try.
    2. The less is known of a model, the more it may gain. There is no die: the same ledger decides
       the same.
    """
    return {
        key: _hoped(one, _chance(number, key)) if key in resident else one  # 1
        for key, one in expected.items()
    }


def _hoped(expected: Expected, chance: float) -> Expected:
    gain = round(_HOPE * min(expected.spread, _MOST_SPREAD) * chance, 4)  # 2
    if not gain:
        return expected
    return replace(
        expected,
        quality=expected.quality + gain,
        prior=expected.prior + gain,  # it is not learnt
        reasons=(*expected.reasons, f"{TRIED} {gain:+.3f}"),
    )


def _chance(number: int, key: str) -> float:
    """Give a number from 0 to 1 that looks like chance."""
    digest = hashlib.blake2b(f"{number} {key}".encode(), digest_size=4).digest()
    return int.from_bytes(digest) / 2**32
