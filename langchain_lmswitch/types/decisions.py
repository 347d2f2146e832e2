"""The whole story of one call: what was asked, who could answer, who did and why."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Self

from pydantic import ValidationError

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.types.contexts import ContextReport
from langchain_lmswitch.types.displays.decisions import candidate_sheet, decision_sheet
from langchain_lmswitch.types.displays.sheets import Sheet
from langchain_lmswitch.types.displays.shown import Shown
from langchain_lmswitch.types.reviving import revive

ToolCalling = Literal["", "trained", "constrained", "untrained"]

Part = Literal[
    "prior",
    "learnt",
    "answer",
    "load",
    "margin",
    "preferred",
    "last answer",
    "same turn",
    "curious",
]
"""What a score is made of: see `policy.ranking.rank`."""

_PASSING: Final[tuple[Part, ...]] = ("load", "margin", "last answer", "same turn", "curious")
"""Parts that are owed to this moment, not to the model and the request."""

_NO_RECORD: Final = (
    "This is no record of a decision; give the mapping `response_metadata['lmswitch']` of an "
    "answer, or what `Decision.to_dict` wrote."
)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Candidate(Shown):
    """One model and what speaks for and against it."""

    key: str
    score: float
    """Higher is better; only comparable within one decision."""
    reasons: tuple[str, ...] = ()
    """What the score is made of, in words."""
    parts: Mapping[Part, float] = field(default_factory=dict)
    """The same in points."""
    answer_s: float = 0.0
    """Seconds that the answer is expected to take, once it is loaded."""
    load_s: float = 0.0
    """Seconds until it is; 0 if it is."""
    abilities: tuple[str, ...] = ()
    """What it can do beside text: `vision`, `tools` (trained to call them), `tool grammar` (held to
    well-formed calls by its host)."""
    max_context_tokens: int = 0
    """The longest context it may have; 0 if unknown."""
    resident: bool = False
    lacks: tuple[str, ...] = ()
    """Hard needs it does not meet; empty if it can answer."""
    fits: bool | None = None
    """Whether it can be in memory, after evictions that are allowed; `None` if unknown."""
    footprint_bytes: int | None = None
    note: str = ""
    """Why it was passed over or chosen, in a few words."""
    wins_if: tuple[str, ...] = ()
    """What would have to be otherwise for it to be chosen, each enough alone; `explain` tells."""

    @property
    def quality(self) -> float:
        """Share of such requests that it is expected to get right."""
        return self.parts.get("prior", 0.0) + self.parts.get("learnt", 0.0)

    @property
    def settled(self) -> float:
        """The score that it would have in a new conversation, if all models were loaded."""
        return self.score - sum(self.parts.get(name, 0.0) for name in _PASSING)

    def _sheet(self) -> Sheet:
        return candidate_sheet(self)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Decision(Shown):
    """Which model answers and why. `response_metadata["lmswitch"]` holds it as a mapping.

    Example:
        ```python
        from langchain_lmswitch import ChatLMSwitch
        from langchain_lmswitch.testing import ScriptedHost

        llm = ChatLMSwitch(host=ScriptedHost(["tiny-chat"]))
        decision = llm.explain("Who wrote Emma?")
        print(decision.task, decision.model, len(decision.candidates))
        ```

        ```text
        facts tiny-chat 1
        ```
    """

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
    context: ContextReport | None = None
    """What of the conversation was left out and put back; `None` while nothing was sent."""
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
        record["context"] = self.context and self.context.to_dict()
        record["candidates"] = list(record["candidates"])
        for key in ("evicted", "fallbacks"):
            record[key] = list(record[key])
        for candidate in record["candidates"]:
            for key in ("reasons", "lacks", "abilities", "wins_if"):
                candidate[key] = list(candidate[key])
            parts = candidate["parts"]
            candidate["parts"] = {name: round(points, 6) for name, points in parts.items()}
            for key in ("answer_s", "load_s"):
                candidate[key] = candidate[key] and round(candidate[key], 3)
        return record

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Self:
        """Read a decision back from an answer's metadata, or from JSON.

        Raises:
            InvalidRequest: It is no record of a decision.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch, Decision
            from langchain_lmswitch.testing import ScriptedHost

            answer = ChatLMSwitch(host=ScriptedHost(["tiny-chat"])).invoke("Write a haiku.")
            print(Decision.from_dict(answer.response_metadata["lmswitch"]).model)
            ```

            ```text
            tiny-chat
            ```
        """
        try:
            return revive(cls, record)
        except ValidationError as error:
            raise InvalidRequest(_NO_RECORD) from error

    def _sheet(self) -> Sheet:
        return decision_sheet(self)
