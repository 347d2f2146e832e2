"""The whole story of one call: what was asked, who could answer, who did and why."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

ToolCalling = Literal["", "trained", "constrained", "untrained"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One model and what speaks for and against it."""

    key: str
    score: float
    """Higher is better; only comparable within one decision."""
    reasons: tuple[str, ...] = ()
    """What the score is made of."""
    abilities: tuple[str, ...] = ()
    """What it can do beside text: `vision`, `tools` (trained to call them), `tool grammar` (held to
    well-formed calls by its host)."""
    max_context_tokens: int = 0
    """The context it was trained for; 0 if unknown."""
    resident: bool = False
    lacks: tuple[str, ...] = ()
    """Hard needs it does not meet; empty if it can answer."""
    fits: bool | None = None
    """Whether it can be in memory, after evictions that are allowed; `None` if unknown."""
    footprint_bytes: int | None = None
    note: str = ""
    """Why it was passed over or chosen, in a few words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Which model answers and why. `response_metadata["lmswitch"]` holds it as a mapping."""

    model: str
    identifier: str
    """The loaded instance; empty while nothing is loaded for this call."""
    task: str
    reason: str
    """One sentence for a person."""
    node: str = ""
    """The node of a graph that asked; empty if none did."""
    candidates: tuple[Candidate, ...] = ()
    """Best first."""
    evicted: tuple[str, ...] = ()
    load_s: float = 0.0
    queued_s: float = 0.0
    context_tokens: int = 0
    """The context of the loaded instance."""
    dropped_messages: int = 0
    """Messages left out because they did not fit."""
    prompt_tokens: int | None = None
    """Counted exactly on the finished prompt, before it was sent; `None` if it was so short that
    it fits whatever the tokenizer makes of it."""
    tool_calling: ToolCalling = ""
    """How tool calls come about, if there are tools: by a model trained for them, by a grammar that
    its host holds it to, or by the model's good will."""
    cached: bool = False
    """Whether LangChain's cache gave the answer: all else is then of the request that filled it."""
    fallbacks: tuple[str, ...] = ()
    """Models tried before this one, each with what went wrong."""
    request: str = ""
    """Names this answer for `feedback`; empty if nothing was answered."""

    def to_dict(self) -> dict[str, Any]:
        """Give plain JSON values, for message metadata and `--json`."""
        record = asdict(self)
        record["candidates"] = list(record["candidates"])
        for key in ("evicted", "fallbacks"):
            record[key] = list(record[key])
        for candidate in record["candidates"]:
            candidate["reasons"] = list(candidate["reasons"])
            candidate["lacks"] = list(candidate["lacks"])
            candidate["abilities"] = list(candidate["abilities"])
        return record
