"""What is told of a decision and of those it chose from."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.types.displays.contexts import fate
from langchain_lmswitch.types.displays.sheets import (
    Bar,
    Cell,
    Fact,
    Sheet,
    Table,
    counted,
    listed,
    said,
    table,
    told,
)
from langchain_lmswitch.types.units import UNKNOWN, duration, mib

if TYPE_CHECKING:
    from langchain_lmswitch.types.decisions import Candidate, Decision, Part, ToolCalling

_CALLERS: Final[Mapping["ToolCalling", str]] = {
    "": "",
    "trained": "a model trained for it",
    "constrained": "a grammar that the host holds it to",
    "untrained": "a model not trained for it",
}
_NOTICED_S: Final = 0.05
_HEADS: Final = (
    "model",
    "score",
    "loaded",
    "fits",
    "needs",
    "score made of",
    "verdict",
    "would answer",
)


def decision_sheet(decision: "Decision") -> Sheet:
    """Tell who answers and why, what it took, and who else could have."""
    title, lead = _headline(decision)
    facts = told(*_effort(decision), *_prompt(decision), ("request", decision.request))
    return Sheet(
        kind="Decision",
        title=title,
        lead=lead,
        tables=_compared(decision.candidates),
        parts=(Sheet(kind="What it took", facts=facts),) if facts else (),
    )


def candidate_sheet(one: "Candidate") -> Sheet:
    """Tell all that speaks for and against one candidate."""
    return Sheet(
        kind="Candidate",
        title=one.key,
        lead=one.note,
        facts=told(
            ("score", f"{one.score:.3f}"),
            ("score made of", _points(one.parts)),
            ("in words", listed(one.reasons)),
            ("expected right", f"{one.quality:.0%}" if "prior" in one.parts else UNKNOWN),
            ("answer takes", duration(one.answer_s) if one.answer_s else UNKNOWN),
            ("load takes", duration(one.load_s) if one.load_s else ""),
            ("loaded", said(one.resident)),
            ("fits", said(one.fits)),
            ("needs", mib(one.footprint_bytes)),
            ("trained context", counted(one.max_context_tokens or None, "tokens")),
            ("can", listed(one.abilities)),
            ("lacks", listed(one.lacks)),
            ("would answer", ", or ".join(one.wins_if)),
        ),
    )


def parted(reason: str) -> tuple[str, str]:
    """Part a reason: who answers and what for, then why; the second is empty if nobody does."""
    head, mark, why = reason.partition("): ")
    return (f"{head})", why) if mark else (reason, "")


def needed(one: "Candidate") -> str:
    """Say how much memory a candidate needs; nothing of one that is loaded and was not reckoned."""
    return "" if one.resident and not one.footprint_bytes else mib(one.footprint_bytes)


def _headline(decision: "Decision") -> tuple[str, str]:
    """Give who and what for, and why; reasons begin with the first two."""
    title, why = parted(decision.reason)
    if why and title.startswith(f"{decision.model} for {decision.task}"):
        return title, why
    return f"{decision.model or 'no model'} for {decision.task}", decision.reason


def _effort(decision: "Decision") -> tuple[Fact, ...]:
    return told(
        ("answered from", "LangChain's cache" if decision.cached else ""),
        ("loaded as", decision.identifier),
        ("load took", duration(decision.load_s) if decision.load_s else ""),
        ("waited", duration(decision.queued_s) if decision.queued_s >= _NOTICED_S else ""),
        ("unloaded for it", listed(decision.evicted)),
        ("tried before", listed(decision.fallbacks)),
        ("tools called by", _CALLERS.get(decision.tool_calling, decision.tool_calling)),
        ("asked by node", decision.node),
    )


def _prompt(decision: "Decision") -> tuple[Fact, ...]:
    context = decision.context
    return told(
        ("context", _context(decision)),
        ("prompt", "" if decision.prompt_tokens is None else _tokens(decision.prompt_tokens)),
        ("conversation", "" if context is None else fate(context)),
    )


def _context(decision: "Decision") -> str:
    if not decision.identifier:  # nothing is loaded for it
        return ""
    return _tokens(decision.context_tokens or None)


def _tokens(number: int | None) -> str:
    return counted(number, "tokens")


def _compared(candidates: Sequence["Candidate"]) -> tuple[Table, ...]:
    best = max((one.score for one in candidates), default=0.0)
    rows = [_row(one, best) for one in candidates]
    return table("Candidates", *_HEADS, rows=rows, right=("needs",))


def _row(one: "Candidate", best: float) -> tuple[Cell, ...]:
    share = one.score / best if best > 0 else 0.0
    return (
        one.key,
        Bar(text=f"{one.score:.3f}", share=share),
        said(one.resident),
        said(one.fits),
        needed(one),
        _points(one.parts),
        one.note or "not needed",
        ", or ".join(one.wins_if),
    )


def _points(parts: Mapping["Part", float]) -> str:
    return " ".join(f"{name} {points:+.3f}" for name, points in parts.items())
