"""How fast a model works on this machine."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Speeds of one model, once it is loaded."""

    prefill_tokens_per_s: float
    """How fast it reads a prompt."""
    decode_tokens_per_s: float
    """How fast it writes an answer."""
