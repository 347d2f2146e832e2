"""What a request wants and what it cannot do without."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

TaskKind = Literal[
    "code",
    "math",
    "reasoning",
    "knowledge",
    "facts",
    "extraction",
    "summary",
    "creative",
    "rewriting",
    "tools",
    "chat",
]
"""Logic and puzzles are `reasoning`; what one learns, `knowledge`; who and when, `facts`; what
stands in a given text, `extraction`; translation and correction, `rewriting`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Needs:
    """Hard needs: a model that lacks one cannot answer."""

    vision: bool = False
    tools: bool = False
    structure: bool = False
    """The answer must follow a JSON schema."""
    language: str = ""
    """The language of the last user turn, as a code of two letters; empty if nothing tells."""
    context_tokens: int = 0
    """An estimate of the least that must fit: the system prompt and the last message."""
    wanted_tokens: int = 0
    """An estimate of the whole conversation and the answer; with less, old turns are left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """One task that some models are for, as the user says."""

    models: str
    """Which ones, in the form of `Hints.prefer`."""
    task: TaskKind
    score: float | None = None
    """The share of such requests that they get right, 0 to 1; `None` says that they are the first
    choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """What the caller, or the conversation so far, says for or against a model."""

    quality: float = 0.5
    """0 is the fastest answer, 1 the best."""
    prefer: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    """Keys, parts of keys, globs over keys; or the abilities `vision` and `tools`."""
    allow: tuple[str, ...] = ()
    """In the same form: the only models that may ever answer; empty is all."""
    deny: tuple[str, ...] = ()
    """The models that may never answer, even if they are named."""
    roles: tuple[Role, ...] = ()
    """What the user says that models are good at."""
    last_model: str = ""
    """Key of the model that gave the last answer of this conversation."""
    in_tool_loop: bool = False
    """Whether that answer's tool calls have just been carried out."""
    again: bool = False
    """Whether that answer was to this very request, and it is asked once more."""
    node: str = ""
    """The node of a graph that asks; empty if none does. Nothing is decided by it."""
    explore: float | None = None
    """How readily a loaded model is tried; `None` is as the settings say."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What the words of a request tell, in numbers that models are compared by; never the words."""

    kinds: Mapping[TaskKind, float] = field(default_factory=dict)
    """The probability of each task; those of 0 may be left out."""
    difficulty: float = 0.5
    """0 is trivial, 1 as hard as they come."""
    signs: tuple[float, ...] = ()
    """Statistics of the text and the rules that fired, in a fixed order; about 0 to 1 each."""
    vector: tuple[int, ...] = ()
    """A static vector of the text, of unit length in parts of 127; empty if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A classified request."""

    kind: TaskKind
    confidence: float
    """The probability of `kind`; 1 where the caller named it."""
    evidence: str
    """What in the request said so, without quoting it."""
    needs: Needs = field(default_factory=Needs)
    hints: Hints = field(default_factory=Hints)
    features: Features = field(default_factory=Features)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The facts of a request that its classification looks at."""

    user_text: str
    """The last user turn."""
    system_text: str = ""
    images: bool = False
    tools: bool = False
    structure: bool = False
    context_tokens: int = 0
    wanted_tokens: int = 0
    hint: str | None = None
    """The task as the caller names it."""
    hints: Hints = field(default_factory=Hints)
