"""What has happened on one switchboard: memory, loads, departures, waits and answers; no words.

All times are Unix seconds. A span whose end is `None` is not over.
"""

from dataclasses import dataclass

from langchain_lmswitch.types.events import LoadProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class MemorySample:
    """The memory of the machine at one moment. `None` is unknown, never zero."""

    at_s: float
    ram_total_bytes: int | None = None
    ram_free_bytes: int | None = None
    vram_total_bytes: int | None = None
    """Of all accelerators that have memory of their own; zero if there are none."""
    vram_free_bytes: int | None = None
    budget_bytes: int | None = None
    """What models may hold together, if the user has set a limit."""


def others_bytes(
    total_bytes: int | None, free_bytes: int | None, *, models_bytes: int
) -> int | None:
    """Reckon what others hold of a memory than models; what models hold is reckoned, too.

    Args:
        total_bytes: Of the memory; `None` is unknown, as for what is free.
        free_bytes: What nobody holds.
        models_bytes: What the models in it hold together.
    """
    if total_bytes is None or free_bytes is None:
        return None
    return max(0, total_bytes - free_bytes - models_bytes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one model in memory is reckoned to hold."""

    key: str
    identifier: str
    ram_bytes: int
    vram_bytes: int = 0

    @property
    def total_bytes(self) -> int:
        """All of it, wherever it lies."""
        return self.ram_bytes + self.vram_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Occupancy:
    """Who is in memory from a moment on."""

    at_s: float
    shares: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadSpan:
    """A load, by this process."""

    number: int = 0
    """Names the span among those of its kind: the same one is told again when it is over."""
    key: str
    started_s: float
    ended_s: float | None = None
    expected_bytes: int | None = None
    """All memory, wherever it lies."""
    expected_vram_bytes: int = 0
    evicted: tuple[str, ...] = ()
    """Keys of the models that left for it."""
    failed: str = ""
    """What went wrong, in a word or two; empty if nothing did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """A model has left memory."""

    at_s: float
    key: str
    identifier: str
    room_for: str = ""
    """Key of the model that takes its place; empty if it leaves for none."""
    asked: bool = True
    """Whether this process unloaded it; if not, it was seen to be gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitSpan:
    """A request waited for a model."""

    number: int = 0
    key: str
    reason: str
    """The last one, if there were several."""
    started_s: float
    ended_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerSpan:
    """A model answered."""

    number: int = 0
    key: str
    identifier: str
    task: str
    """What kind of request it was."""
    reason: str = ""
    """Why this model, in one sentence of the router's."""
    node: str = ""
    """The node of a graph that asked; empty if none did."""
    started_s: float
    first_token_s: float | None = None
    ended_s: float | None = None
    tokens: int | None = None
    """Written, as the host counts them; `None` if it did not say."""
    failed: str = ""
    """What went wrong, in a word or two; empty if nothing did."""


Span = LoadSpan | WaitSpan | AnswerSpan
Note = MemorySample | Occupancy | Departure | LoadProgress | Span
"""What a listener is told, as it happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """All that is still remembered, each kind in the order in which it began."""

    host: str
    """Its address."""
    now_s: float
    """When this was written."""
    samples: tuple[MemorySample, ...] = ()
    occupancies: tuple[Occupancy, ...] = ()
    loads: tuple[LoadSpan, ...] = ()
    departures: tuple[Departure, ...] = ()
    waits: tuple[WaitSpan, ...] = ()
    answers: tuple[AnswerSpan, ...] = ()
