"""How good answers were, and how good the next one is expected to be."""

from dataclasses import dataclass
from typing import Literal

from langchain_lmswitch.types.tasks import Features

GradeSource = Literal[
    "feedback",
    "parse",
    "schema",
    "tool_call",
    "empty",
    "truncated",
    "error",
    "retry",
    "override",
    "fine",
]
"""What told: the caller, or what became of the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grade:
    """How good one answer was."""

    at_s: float
    """Unix time."""
    key: str
    """Of the model that gave the answer."""
    features: Features
    """Of the request."""
    score: float
    """0 is useless, 1 as good as could be."""
    weight: float = 1.0
    """What it counts for, beside the caller's own word."""
    source: GradeSource = "feedback"
    node: str = ""
    """The node of a graph that asked; empty if none did."""
    request: str = ""
    """Names the request: grades of several models for one request are compared directly; of the
    grades of one model for one request the last counts."""
    host: str = ""
    """Where the model is: what is learnt of one host's models is not told of another's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """How good a model's answer to a request is expected to be."""

    quality: float
    """Share of such requests that it gets right, 0 to 1."""
    prior: float
    """The same, before anything was learnt on this machine."""
    spread: float = 0.0
    """Standard deviation of what is not known about `quality`."""
    grades: float = 0.0
    """Weight of the grades that tell of it."""
    reasons: tuple[str, ...] = ()
    """What the prior is made of."""

    @property
    def learnt(self) -> float:
        """What grades have added."""
        return self.quality - self.prior
