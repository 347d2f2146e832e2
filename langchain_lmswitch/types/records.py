"""What was decided, and from what: enough to decide it anew."""

from dataclasses import dataclass
from typing import Any, Literal

DecisionKind = Literal["choice", "plan"]
"""Which model answers a request, or how one model gets into memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRecord:
    """One decision. It holds nothing that a user wrote."""

    at_s: float
    """Unix time."""
    kind: DecisionKind
    facts: Any
    """All that it was decided from: a frozen value, and a mapping of JSON values once it is read
    back."""
    outcome: Any
    """What was decided, in the same form."""
    version: str
    """Of this package."""
