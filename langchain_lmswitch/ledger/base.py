"""The `Ledger` protocol: a memory of loads and decisions."""

from typing import Final, Protocol

from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.records import DecisionRecord

MOST_LOADS: Final = 5_000
MOST_DECISIONS: Final = 10_000
"""What is kept; the oldest go first."""
LOADS_READ: Final = 1_000
"""Loads of one host that are given back at most."""


class Ledger(Protocol):
    """Something that remembers. Every method may be called on an event loop, from any thread.

    None of them raises, whatever happens to the disk, and none waits for it to write.
    """

    def note_load(self, record: LoadRecord) -> None:
        """Remember a load, made or failed."""

    def loads(self, host: str) -> list[LoadRecord]:
        """List the latest loads of one host, oldest first."""

    def note_decision(self, record: DecisionRecord) -> None:
        """Remember a decision."""

    def decisions(self, last: int) -> list[DecisionRecord]:
        """List the latest decisions, oldest first, facts and outcomes as JSON values."""

    def close(self) -> None:
        """Put away what is not yet; the ledger may be used again."""
