"""How long a load that failed for memory is not tried again."""

from dataclasses import dataclass
from typing import Final

_FIRST_S: Final = 60.0
_LONGEST_S: Final = 1800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Quarantine:
    """What is known of a configuration that did not fit; it ends with a load that succeeds."""

    failures: int
    """In a row."""
    until_s: float
    """On the clock it was made with."""
    reason: str
    """The host's words at the last failure."""

    def left_s(self, now_s: float) -> float:
        """Seconds until it may be tried again; 0 if it may be tried now."""
        return max(0.0, self.until_s - now_s)


def prolong(earlier: Quarantine | None, *, now_s: float, reason: str) -> Quarantine:
    """Answer one more failure: a minute for the first, then twice as long, half an hour at most.

    A failed load takes as long as one that succeeds, and may crash its host: to find out every
    few seconds whether there is room now costs more than waiting.

    Example:
        >>> first = prolong(None, now_s=100.0, reason="out of memory")
        >>> first.until_s
        160.0
        >>> prolong(first, now_s=200.0, reason="out of memory").until_s
        320.0
    """
    failures = earlier.failures + 1 if earlier else 1
    length_s = min(_FIRST_S * 2.0 ** min(failures - 1, 10), _LONGEST_S)
    return Quarantine(failures=failures, until_s=now_s + length_s, reason=reason)
