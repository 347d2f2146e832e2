"""Now and then a model is tried of which little is known. Pure: no dice, only a digest."""

from collections.abc import Collection, Mapping
from hashlib import blake2b
from statistics import NormalDist
from typing import Final

from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.tasks import Features

_WIDTH: Final = 0.3
"""Standard deviations, at a share of 1, of what is not known of a model. Half of that taught most
per answer given away, in streams of 2,500 requests; a whole one costs more than it finds."""
_MOST: Final = 0.1
_NORMAL: Final = NormalDist()


def curiosity(
    features: Features,
    expected: Mapping[str, Expected],
    *,
    resident: Collection[str],
    share: float,
) -> dict[str, float]:
    """Give points, 0 to 0.1, for what would be learnt of models in memory.

    As in Thompson sampling, each model's quality is drawn from what is known of it, but more
    narrowly, and bad draws count as none. The draw follows from the words of the request and from
    how much was learnt so far: the same question meets the same draw until a grade has come.

    Args:
        features: Of the request.
        expected: By key, of every model that might answer.
        resident: Keys of those in memory; nothing is loaded only to learn of it.
        share: How wide to draw, 0 to 1; at 0 nothing is tried.
    """
    if share <= 0 or sum(key in expected for key in resident) < 2:  # noqa: PLR2004 - a choice
        return {}
    seed = _seed(features, expected)
    drawn = {key: _draw(seed, key) * one.spread for key, one in expected.items() if key in resident}
    width = min(share, 1.0) * _WIDTH
    return {key: min(width * points, _MOST) for key, points in drawn.items() if points > 0}


def _seed(features: Features, expected: Mapping[str, Expected]) -> bytes:
    grades = [round(one.grades, 3) for _, one in sorted(expected.items())]
    told = (sorted(features.kinds.items()), features.difficulty, features.signs, features.vector)
    return blake2b(repr((told, grades)).encode(), digest_size=16).digest()


def _draw(seed: bytes, key: str) -> float:
    """Draw a standard normal number."""
    digest = blake2b(seed + key.encode(), digest_size=8).digest()
    return _NORMAL.inv_cdf((int.from_bytes(digest) + 0.5) / 2**64)
