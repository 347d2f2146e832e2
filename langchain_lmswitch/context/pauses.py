"""How long no summary is asked for after one that came to nothing."""

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
