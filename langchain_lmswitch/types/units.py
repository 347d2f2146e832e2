"""Numbers as a person reads them."""

from typing import Final

UNKNOWN: Final = "unknown"
_GIB: Final = 2**30
_MIB: Final = 2**20
_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_MANY: Final = 100
"""From here on, a fraction says nothing."""


def mib(size_bytes: int | None) -> str:
    """Write bytes in MiB, as the router's reasons do, so that numbers can be compared."""
    return UNKNOWN if size_bytes is None else f"{size_bytes / _MIB:,.0f} MiB"


def size(size_bytes: int | None) -> str:
    """Write bytes in GiB from one GiB on, else in MiB; `None` is unknown, never zero."""
    if size_bytes is None or size_bytes < _GIB:
        return mib(size_bytes)
    return f"{size_bytes / _GIB:,.1f} GiB"


def plural(number: int, noun: str) -> str:
    """Write `1 load`, `2 loads`.

    Args:
        number: How many.
        noun: What there are, in the singular; its plural ends in s.
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(seconds: float) -> str:
    """Write a time span with the unit that suits it."""
    if seconds < _MINUTE_S:
        return f"{seconds:.3g} s"
    if seconds < _HOUR_S:
        return f"{seconds / _MINUTE_S:.0f} min"
    hours = seconds / _HOUR_S
    return f"{hours:,.0f} h" if hours >= _MANY else f"{hours:.3g} h"
