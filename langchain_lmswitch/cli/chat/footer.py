"""The line under an answer: who gave it and why, how fast, in how much context."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_lmswitch.cli.ask import Answer, facts
from langchain_lmswitch.types.displays.decisions import parted


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """What is told of an answer once it is there."""

    switched_from: str = ""
    """The model of the answer before, if it was another one."""
    text: str

    @property
    def mark(self) -> str:
        """What catches the eye: another model than before."""
        return f"{self.switched_from} ->" if self.switched_from else ""


def footer_of(answer: Answer, *, before: str, named: bool) -> Footer:
    """Sum an answer up.

    Args:
        answer: It.
        before: Who gave the answer before; empty if there was none.
        named: Whether the user named the model.
    """
    model = str(answer.decision.get("model", ""))
    who, _ = parted(str(answer.decision.get("reason", "")))
    why = f"{model}, as you asked" if named else who
    told = [why, *facts(answer), _context(answer), _left_out(answer.decision)]
    return Footer(
        switched_from=before if before != model else "",
        text=", ".join(fact for fact in told if fact),
    )


def _context(answer: Answer) -> str:
    whole = answer.decision.get("context_tokens")
    used = (answer.usage or {}).get("total_tokens")
    if not whole or used is None:
        return ""
    return f"context {used:,} of {whole:,}"


def _left_out(decision: Mapping[str, Any]) -> str:
    messages = (decision.get("context") or {}).get("evicted_messages")
    return f"{messages} old messages left out (/context)" if messages else ""
