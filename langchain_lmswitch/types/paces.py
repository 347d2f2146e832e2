"""How fast a model works on this machine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How fast a model was in its latest answers. `None` is unknown, never zero."""

    answers: int = 0
    """How many answers tell of it."""
    read_tokens_per_second: float | None = None
    """Of the prompt, until the first token."""
    tokens_per_second: float | None = None
    """Of the answer."""
    first_token_s: float | None = None
    answer_tokens: float | None = None
    """How long its answers are."""
