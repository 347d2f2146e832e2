"""How many requests in a row one model would serve best."""

from dataclasses import dataclass, replace
from typing import Final

FIRST_RUN: Final = 2.0
"""Expected before anything was seen."""
_SHARE: Final = 0.2
"""What the last run counts for in a mean that forgets."""

_FRESH_S: Final = 60.0
_FRESH_REQUESTS: Final = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """The running mean of how long the same model stays the best.

    What counts is who would be chosen if all models were loaded: who is chosen depends on what a
    load is worth, and so on this mean.

    Example:
        >>> runs = Runs()
        >>> for key in ["coder"] * 12 + ["chat"] * 12 + ["coder"]:
        ...     runs = runs.after(key)
        >>> round(runs.expected, 1)
        5.6
    """

    best: str = ""
    """Key of the model that was the best last."""
    length: int = 0
    """For how many requests in a row."""
    mean: float = FIRST_RUN
    """Of the runs before this one."""

    @property
    def expected(self) -> float:
        """How many requests in a row a model is expected to serve."""
        return max(self.mean, self._with_this())

    def streak(self, key: str) -> int:
        """Tell for how many requests up to now a model has been the best."""
        return self.length if key == self.best else 0

    def after(self, best: str) -> "Runs":
        """Add one request, and which model would have been the best for it."""
        if best == self.best:
            return replace(self, length=self.length + 1)
        if not self.best:
            return replace(self, best=best, length=1)
        return Runs(best=best, length=1, mean=self._with_this())

    def _with_this(self) -> float:
        return self.mean + _SHARE * (self.length - self.mean)


def is_fresh(*, age_s: float, requests: int) -> bool:
    """Tell whether a model was loaded so lately that it should stay.

    Args:
        age_s: Seconds since it was loaded.
        requests: Those that have come since then, for any model.
    """
    return age_s < _FRESH_S and requests < _FRESH_REQUESTS
