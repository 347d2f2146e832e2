"""The configurations that failed for memory lately."""

import math
from collections.abc import Callable

from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.policy.quarantine import Quarantine, prolong
from langchain_lmswitch.types.models import LoadSpec

Configuration = tuple[str, int | None]
"""Key and context: the same model with a smaller context may fit."""


class Quarantines:
    """Remembers what did not fit, and refuses to try it again too soon.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._known: dict[Configuration, Quarantine] = {}

    def check(self, spec: LoadSpec) -> None:
        """Let a load pass, or refuse it.

        Raises:
            LoadFailed: It failed for memory a while ago; it says why, and until when.
        """
        known = self._known.get(_configuration(spec))
        left_s = known.left_s(self._clock()) if known else 0.0
        if known and left_s:
            reason = (
                f"{known.reason.rstrip()} It is not tried again for {math.ceil(left_s)} s "
                f"(failures for memory in a row: {known.failures})."
            )
            raise LoadFailed(spec.key, reason=reason, for_memory=True)

    def note_failure(self, spec: LoadSpec, failure: LoadFailed) -> None:
        """Shut a configuration away, if it failed for memory."""
        if failure.for_memory:
            configuration, now_s = _configuration(spec), self._clock()
            earlier = self._known.get(configuration)
            self._known[configuration] = prolong(earlier, now_s=now_s, reason=failure.reason)

    def note_success(self, spec: LoadSpec) -> None:
        """Forget all failures of a configuration."""
        self._known.pop(_configuration(spec), None)


def _configuration(spec: LoadSpec) -> Configuration:
    return spec.key, spec.context_tokens
