"""What became of a conversation on its way into the context of a model."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from langchain_lmswitch.types.displays.contexts import context_sheet
from langchain_lmswitch.types.displays.sheets import Sheet
from langchain_lmswitch.types.displays.shown import Shown

ContextMode = Literal["on", "observe", "off"]
"""`observe` sends the conversation as it is, and reports what `on` would have made of it."""

Overflow = Literal["clip", "raise"]
"""What becomes of a message that is larger than its place."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalled:
    """An earlier passage that was put back."""

    message: int
    """Index in the caller's conversation."""
    id: str = ""
    """The message's own id, if it has one."""
    why: tuple[str, ...] = ()
    """Words of the question that it has, `near` if its neighbors match, `vector`."""
    tokens: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Clipped:
    """A message that was cut."""

    message: int
    left_out_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ContextReport(Shown):
    """What was left out of a conversation, what was put back, and why."""

    mode: ContextMode = "on"
    tokens_before: int | None = None
    """Of the whole conversation, estimated; `None` if it was so short that nobody counted."""
    tokens_after: int | None = None
    """Of the finished prompt, exact; `None` if it was so short that nobody counted."""
    budget_tokens: int | None = None
    """What the prompt may take: the context less the answer; `None` if the context is unknown."""
    evicted_messages: int = 0
    recalled: tuple[Recalled, ...] = ()
    """In the order of time."""
    summarized_messages: int = 0
    """How many of the evicted ones the summary block tells of; 0 is no summary."""
    clipped: tuple[Clipped, ...] = ()
    orphans: tuple[int, ...] = ()
    """Indices of tool results without their call, which were left out."""
    reusable_tokens: int = 0
    """Of the prompt's beginning, the same as in the turn before: its state may still be in the
    model's memory."""
    compacted: bool = False
    """Whether this turn evicted something, so that the prompt begins anew."""

    @property
    def prompt_tokens(self) -> int | None:
        """Tokens of the prompt that is sent, exact; `None` if nobody counted it."""
        return self.tokens_after if self.mode == "on" else None

    @property
    def changed(self) -> bool:
        """Whether the prompt is not simply the conversation."""
        return bool(self.evicted_messages or self.recalled or self.clipped or self.orphans)

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values."""
        record = asdict(self)
        for name in ("recalled", "clipped", "orphans"):
            record[name] = list(record[name])
        for one in record["recalled"]:
            one["why"] = list(one["why"])
        return record

    def _sheet(self) -> Sheet:
        return context_sheet(self)
