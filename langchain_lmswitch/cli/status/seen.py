"""What `status` shows: a host, its memory and its past, at one moment."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from langchain_lmswitch.cli.bars import Bar, memory_bars
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.events import InstanceState
from langchain_lmswitch.types.history import Share
from langchain_lmswitch.types.machine import Snapshot
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.tasks import TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """A model in memory."""

    resident: Resident
    state: InstanceState | None = None
    """`None` if the host does not tell."""
    ram_bytes: int = 0
    """By estimate; in unified memory all of it."""
    vram_bytes: int = 0
    users: tuple[int, ...] = ()
    """Our processes that use it now, by their ids."""
    pinned: bool = False

    @property
    def doing(self) -> str | None:
        """Whether it is `idle` or `busy`; `None` if that is unknown."""
        if self.state is None:
            return None
        return "idle" if self.state.idle else "busy"

    def left_s(self, now_s: float) -> float | None:
        """Give the seconds until its host unloads it, if nobody uses it; `None` if unknown."""
        one = self.resident
        if one.ttl_s is None or one.last_used_s is None or self.doing == "busy":
            return None
        return max(0.0, one.last_used_s + one.ttl_s - now_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An earlier decision who answers."""

    at_s: float
    task: TaskKind | None
    model: str
    """Empty if nobody could."""
    how: Literal["use", "load", "refuse"]
    why: str
    evicted: tuple[str, ...] = ()
    load_s: float | None = None
    """How long the load took that came of it; `None` if none did, or it is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the ledger remembers of a host; nothing that anybody wrote is in it."""

    silence: str = ""
    """Why there is nothing; empty if there is something."""
    answers: Sequence[AnswerRecord] = ()
    """The latest, newest first."""
    choices: Sequence[Choice] = ()
    """The latest, newest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A host and its memory at one moment."""

    at_s: float = 0.0
    """Unix time."""
    address: str = ""
    """Empty if no host runs."""
    kind: str = ""
    trouble: str = ""
    """Why the host could not be asked; empty if it could."""
    held: tuple[Held, ...] = ()
    snapshot: Snapshot
    headroom_bytes: int = 0
    past: Past = Past()

    @property
    def bars(self) -> tuple[Bar, ...]:
        """The memory, with who holds how much of it."""
        shares = [
            Share(
                key=one.resident.key,
                identifier=one.resident.identifier,
                ram_bytes=one.ram_bytes,
                vram_bytes=one.vram_bytes,
            )
            for one in self.held
        ]
        return memory_bars(self.snapshot, shares, headroom_bytes=self.headroom_bytes)
