"""Comparing what is shown: a score has the seconds of this machine in it, and may differ."""

import re
from typing import Final

import pytest

_POINTS: Final = re.compile(r"(?<![\w.])[+-]?0\.\d\d(?![\d.])")
_APART: Final = 0.1


def alike(text: str, other: str) -> bool:
    """Tell whether two texts are the same but for a few points of a score."""
    if _POINTS.sub("#", text) != _POINTS.sub("#", other):
        return False
    mine, others = ([float(one) for one in _POINTS.findall(told)] for told in (text, other))
    return mine == pytest.approx(others, abs=_APART)
