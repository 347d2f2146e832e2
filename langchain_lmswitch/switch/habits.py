"""What the requests so far tell of the next ones: how long a model stays best, and who is new."""

import time
from collections.abc import Callable

from langchain_lmswitch.policy.runs import Runs, is_fresh


class Habits:
    """Remembers who would have been best lately, and what was loaded a moment ago.

    Lives on the portal's loop.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._requests = 0
        self._loaded: dict[str, tuple[float, int]] = {}
        self.runs: Runs = Runs()
        """How many requests in a row one model stays the best."""

    def note_request(self, best: str) -> None:
        """Take in one request, and who would be chosen for it if all models were loaded."""
        self._requests += 1
        if best:
            self.runs = self.runs.after(best)

    def note_load(self, key: str) -> None:
        """Take in that a model was loaded for a request."""
        self._loaded = {one: self._loaded[one] for one in self.fresh()}
        self._loaded[key] = self._clock(), self._requests

    def fresh(self) -> tuple[str, ...]:
        """Give the keys of the models that were loaded a moment ago, in order."""
        now_s = self._clock()
        return tuple(
            sorted(
                key
                for key, (at_s, before) in self._loaded.items()
                if is_fresh(age_s=now_s - at_s, requests=self._requests - before)
            )
        )
