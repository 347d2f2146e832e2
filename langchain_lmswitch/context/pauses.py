"""How long no summary is asked for after one that came to nothing."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

MOST_TRIES: Final = 3
"""So often a summary is tried; what nobody can summarize is left to recall."""
_FIRST_TURNS: Final = 10
_MOST_TURNS: Final = 160


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause that doubles with each failure in a row, counted in turns."""

    failures: int = 0
    until_turn: int = 0

    def over(self, turn: int) -> bool:
        """Tell whether somebody may be asked at this turn."""
        return turn >= self.until_turn

    def failed(self, turn: int) -> "Pause":
        """Note that it came to nothing at this turn."""
        turns = min(_FIRST_TURNS << min(self.failures, 10), _MOST_TURNS)
        return Pause(self.failures + 1, turn + turns)


class Attempts:
    """What became of the summaries that were asked for: who writes them asks this when to."""

    def __init__(self) -> None:
        self._turn = 0
        self._pause = Pause()
        self._tries: Counter[bytes] = Counter()
        self.given_up: set[bytes] = set()
        """Keys of what nobody could summarize; see `context.tree.wanted`."""

    @property
    def due(self) -> bool:
        """Whether one may be asked for in this turn."""
        return self._pause.over(self._turn)

    def next_turn(self) -> None:
        """Note that a turn has ended."""
        self._turn += 1

    def interrupted(self) -> None:
        """Note that one was begun for nothing, at nobody's fault."""
        self._pause = self._pause.failed(self._turn)

    def failed(self, key: bytes) -> None:
        """Note that one came to nothing."""
        self.interrupted()
        self._tries[key] += 1
        if self._tries[key] >= MOST_TRIES:
            self.given_up.add(key)
            del self._tries[key]

    def written(self, key: bytes) -> None:
        """Note that one is there."""
        self._pause = Pause()
        del self._tries[key]
