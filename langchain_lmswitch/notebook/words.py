"""Times and names as a person reads them in a picture, where a second makes a difference."""

from typing import Final

_MINUTE_S: Final = 60
_HOUR_S: Final = 3_600
_TENTHS_BELOW_S: Final = 10


def lapse(seconds: float) -> str:
    """Write seconds as `0.4 s`, `12 s`, `3:05 min` or `2:10 h`."""
    if seconds < _TENTHS_BELOW_S:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _MINUTE_S:
        return f"{whole} s"
    if whole < _HOUR_S:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // _HOUR_S}:{whole % _HOUR_S // 60:02} h"


def short(key: str, chars: int) -> str:
    """Shorten the name of a model in its middle: what tells models apart is at the ends."""
    if len(key) <= chars:
        return key
    head = (chars - 1) * 2 // 3
    return f"{key[:head]}\u2026{key[head + 1 - chars :]}"
