"""A ledger that ends with its process."""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from langchain_lmswitch.ledger.base import LOADS_READ, MOST_LOADS
from langchain_lmswitch.ledger.plain import plain
from langchain_lmswitch.policy.recording import recordable
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.records import DecisionRecord

Record = LoadRecord | DecisionRecord

DECISIONS_IN_MEMORY: Final = 200
"""What is kept where there is no disk: each holds on to all that it was decided from."""


class MemoryLedger:
    """Remembers nothing but what this process has noted; for hosts that a caller made."""

    def __init__(self) -> None:
        self._loads: deque[LoadRecord] = deque(maxlen=MOST_LOADS)
        self._decisions: deque[DecisionRecord] = deque(maxlen=DECISIONS_IN_MEMORY)

    def note_load(self, record: LoadRecord) -> None:
        """Remember a load, made or failed."""
        self._loads.append(record)

    def loads(self, host: str) -> list[LoadRecord]:
        """List the latest loads of one host, oldest first."""
        return loads_of(host, tuple(self._loads))

    def note_decision(self, record: DecisionRecord) -> None:
        """Remember a decision."""
        self._decisions.append(record)

    def decisions(self, last: int) -> list[DecisionRecord]:
        """List the latest decisions, oldest first, facts and outcomes as JSON values."""
        return as_read(tuple(self._decisions), last)

    def close(self) -> None:
        """There is nothing to put away."""

    def note(self, records: Iterable[Record]) -> None:
        """Remember records of either kind."""
        for one in records:
            if isinstance(one, LoadRecord):
                self.note_load(one)
            else:
                self.note_decision(one)

    def noted(self) -> list[Record]:
        """List all that is remembered; loads and decisions each in their order."""
        return [*self._loads, *self._decisions]


def loads_of(host: str, records: Sequence[Record]) -> list[LoadRecord]:
    """Pick the latest loads of one host."""
    loads = [one for one in records if isinstance(one, LoadRecord)]
    return [one for one in loads if one.configuration.host == host][-LOADS_READ:]


def as_read(records: Sequence[Record], last: int) -> list[DecisionRecord]:
    """Pick the latest decisions, in the form in which a file would give them back."""
    decisions = [one for one in records if isinstance(one, DecisionRecord)]
    latest = decisions[-last:] if last > 0 else []
    told = map(recordable, latest)
    return [replace(one, facts=plain(one.facts), outcome=plain(one.outcome)) for one in told]
