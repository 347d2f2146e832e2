"""What is told of a conversation that was fitted into a context."""

from typing import TYPE_CHECKING, Final

from langchain_lmswitch.types.displays.sheets import Sheet, counted, listed, table, told
from langchain_lmswitch.types.units import plural

if TYPE_CHECKING:
    from langchain_lmswitch.types.contexts import Clipped, ContextReport, Recalled

_WHOLE: Final = "sent whole"
_AS_IT_WAS: Final = "sent as it was"


def context_sheet(report: "ContextReport") -> Sheet:
    """Tell what was left out, what was put back, and why."""
    return Sheet(
        kind="ContextReport",
        title=report.mode,
        lead=fate(report),
        facts=told(
            ("conversation", _tokens(report.tokens_before, around="about ")),
            ("prompt", _tokens(report.tokens_after)),
            ("room for it", counted(report.budget_tokens, "tokens")),
            ("begins as before", _tokens(report.reusable_tokens or None, none="")),
            ("prompt begins anew", "yes" if report.compacted else ""),
            ("tool results without a call", listed(map(str, report.orphans))),
        ),
        tables=(
            *table(
                *("Put back", "message", "tokens", "why", "id"),
                rows=map(_recalled, report.recalled),
                right=("tokens",),
            ),
            *table(
                *("Cut", "message", "tokens left out"),
                rows=map(_clipped, report.clipped),
                right=("tokens left out",),
            ),
        ),
    )


def fitted_sheet(messages: int, chunks: int, report: "ContextReport") -> Sheet:
    """Tell how much is sent, and what became of the rest; never what it says."""
    return Sheet(
        kind="Fitted",
        title=plural(messages, "message"),
        facts=told(("chunks that may be summarized", f"{chunks:,}" if chunks else "")),
        parts=(context_sheet(report),),
    )


def fate(report: "ContextReport") -> str:
    """Say in a few words what became of a conversation."""
    counts = (
        ("left out", report.evicted_messages),
        ("summarized", report.summarized_messages),
        ("put back", len(report.recalled)),
        ("cut", len(report.clipped)),
        ("dropped as a tool result without a call", len(report.orphans)),
    )
    happened = listed(f"{plural(number, 'message')} {what}" for what, number in counts if number)
    if report.mode == "on":
        return happened or _WHOLE
    if report.mode == "observe":
        return f"{_AS_IT_WAS}; fitting it would give: {happened or _WHOLE}"
    return _AS_IT_WAS


def _recalled(one: "Recalled") -> tuple[str, ...]:
    return (str(one.message), f"{one.tokens:,}", listed(one.why), one.id)


def _clipped(one: "Clipped") -> tuple[str, ...]:
    return (str(one.message), f"{one.left_out_tokens:,}")


def _tokens(number: int | None, *, around: str = "", none: str = "not counted") -> str:
    return none if number is None else f"{around}{counted(number, 'tokens')}"
