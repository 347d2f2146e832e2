"""What is remembered of an answer: who gave it to what kind of request, and how fast; no words."""

from dataclasses import dataclass, field

from langchain_lmswitch.types.tasks import Features, TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRecord:
    """One answer. `None` is unknown, never zero."""

    at_s: float
    """Unix time of its end."""
    host: str
    """Where the model is, under the name of its grades."""
    request: str
    """Names the answer, as its decision does."""
    key: str
    """Of the model."""
    task: TaskKind = "chat"
    features: Features = field(default_factory=Features)
    """Of the request."""
    node: str = ""
    """The node of a graph that asked; empty if none did."""
    run: str = ""
    """LangChain's id of the run, if it had one."""
    turn: str = ""
    """The first answer to the same words, for whose request its grades count."""
    prompt_tokens: int | None = None
    """Tokens that had to be read: those whose state was still in memory do not count."""
    answer_tokens: int | None = None
    first_token_s: float | None = None
    """From the request to the first token."""
    tokens_per_second: float | None = None
    """While it wrote."""
