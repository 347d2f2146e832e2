"""What is told of a conversation that was fitted into a context."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.types.displays.sheets import Sheet, Table, counted, listed, rows, told

if TYPE_CHECKING:
    from langchain_lmswitch.types.contexts import ContextMode, ContextReport

_MODES: Final[Mapping["ContextMode", str]] = {
    "on": "",
    "observe": "only observed, sent as it was: ",
    "off": "sent as it was: ",
}


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
            ("left out anew", "yes" if report.compacted else ""),
            ("tool results without a call", listed(map(str, report.orphans))),
        ),
        tables=tuple(_tables(report)),
    )


def fate(report: "ContextReport") -> str:
    """Say in a few words what became of a conversation."""
    counts = (
        ("left out", report.evicted_messages),
        ("summarized", report.summarized_messages),
        ("put back", len(report.recalled)),
        ("cut", len(report.clipped)),
        ("without a call", len(report.orphans)),
    )
    happened = listed(f"{number:,} {what}" for what, number in counts if number)
    return _MODES[report.mode] + (f"{happened} (messages)" if happened else "whole")


def _tables(report: "ContextReport") -> Iterator[Table]:
    if report.recalled:
        yield Table(
            title="Put back",
            heads=("message", "tokens", "why", "id"),
            rows=rows(
                *(
                    (str(one.message), f"{one.tokens:,}", listed(one.why), one.id)
                    for one in report.recalled
                )
            ),
            right=("tokens",),
        )
    if report.clipped:
        yield Table(
            title="Cut",
            heads=("message", "tokens left out"),
            rows=rows(*((str(one.message), f"{one.left_out_tokens:,}") for one in report.clipped)),
            right=("tokens left out",),
        )


def _tokens(number: int | None, *, around: str = "", none: str = "not counted") -> str:
    return none if number is None else f"{around}{counted(number, 'tokens')}"
