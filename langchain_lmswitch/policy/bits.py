"""How coarse a model's weights are, by the name of its quantization."""

import re
from collections.abc import Mapping
from typing import Final

_K_BITS: Final[Mapping[str, float]] = {
    "Q2_K": 2.9,
    "Q3_K_S": 3.5,
    "Q3_K": 3.9,
    "Q3_K_L": 4.3,
    "Q4_K": 4.8,
    "Q5_K": 5.7,
    "Q6_K": 6.6,
    "IQ1": 1.7,
    "IQ2": 2.4,
    "IQ3": 3.4,
    "IQ4": 4.4,
    "TQ1": 1.7,
    "TQ2": 2.1,
}
"""Bits a weight, scales included; of several that begin a name the longest counts."""

_FULL: Final = re.compile(r"(?:B?F|FP)(?:16|32)|MXFP4")
"""As they were trained: gpt-oss was trained in MXFP4."""
_COUNT: Final = re.compile(r"(?<!\d)(\d)(?:[-_ ]?BITS?|_\d|(?![\d.]))")


def bits_of(quantization: str) -> float | None:
    """Tell the bits of a weight; `None` if unknown, or if nothing was lost.

    Example:
        >>> bits_of("Q4_K_M"), bits_of("4bit"), bits_of("F16")
        (4.8, 4.0, None)
    """
    name = quantization.upper()
    if _FULL.search(name):
        return None
    known = [label for label in _K_BITS if name.removeprefix("UD-").startswith(label)]
    if known:
        return _K_BITS[max(known, key=len)]
    found = _COUNT.search(name)
    return float(found[1]) if found else None


def quantization_loss(bits: float | None, billions: float) -> float:
    """Tell what coarse weights cost, in logits: little at 5 bits, a lot below 3.

    From published perplexities of K-quants: each bit less costs three times as much, and small
    models lose more, for they have nothing to spare.
    """
    if bits is None:
        return 0.0
    coarseness: float = 3.0 ** (4.8 - bits)
    nothing_to_spare: float = (8 / max(billions, 0.1)) ** 0.3
    return 0.05 * coarseness * nothing_to_spare
