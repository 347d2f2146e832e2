"""Made-up conversations on which managers of contexts are known to stumble."""

from collections.abc import Sequence
from dataclasses import dataclass

from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
)

BUDGET_TOKENS = 2000
_WORDS = "the boat left at noon and nobody had told the harbor about the cargo of lamps it was for"


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A conversation that has to be made to fit; each message begins with a mark of its own."""

    name: str
    messages: tuple[BaseMessage, ...]
    question: str
    """What the last user message asks, and the model has to read."""


def mark(at: int) -> str:
    """Give the mark of a message, which stands nowhere else."""
    return f"entry-{at:03d}"


def histories() -> list[History]:
    """Give all of them.

    1. Eight calls at once, whose results lie across any cut, and a new question.
    2. The same before the model has answered: the question stands before the calls.
    3. An old message that is longer than the budget.
    4. A question that is longer than the budget, with what is asked at its end.
    5. A tool result whose call is not there.
    6. 70 messages, and only a few of them fit.
    """
    giant = AIMessage(_said(9000))
    orphan = ToolMessage(_said(60), tool_call_id="gone")
    return [
        _history("parallel calls", [*_talk(6), HumanMessage(_said(20)), *_calls(), _DONE]),  # 1
        _history("tool loop", _talk(6), then=_calls()),  # 2
        _history("giant message", [*_talk(3), giant, *_talk(4)]),  # 3
        _history("huge question", _talk(8), question_words=6000),  # 4
        _history("orphan", [orphan, *_talk(40)]),  # 5
        _history("70 messages", _talk(68, words=180)),  # 6
    ]


def _history(
    name: str,
    said: Sequence[BaseMessage],
    *,
    question_words: int = 0,
    then: Sequence[BaseMessage] = (),
) -> History:
    """Mark messages, and let the user ask at the end, or just before it."""
    question = f"Which color did the lamps have in the {name}?"
    asking = HumanMessage(f"{_said(question_words)} {question}".strip())
    marked = [
        one.model_copy(update={"content": f"{mark(at)} {one.content}", "id": str(at)})
        for at, one in enumerate([SystemMessage("Answer briefly."), *said, asking, *then])
    ]
    return History(name=name, messages=tuple(marked), question=question)


def _talk(count: int, *, words: int = 60) -> list[BaseMessage]:
    """Let the user and the model take turns."""
    kinds = (HumanMessage, AIMessage)
    return [kinds[at % 2](_said(words)) for at in range(count)]


def _calls() -> list[BaseMessage]:
    calls = [{"name": "look_up", "args": {"page": at}, "id": f"call-{at}"} for at in range(8)]
    results = [ToolMessage(_said(300), tool_call_id=f"call-{at}") for at in range(8)]
    return [AIMessage("Let me see.", tool_calls=calls), *results]


def _said(words: int) -> str:
    known = _WORDS.split()
    return " ".join(known[at % len(known)] for at in range(words))


_DONE = AIMessage(_said(30))
