"""`lmswitch doctor`: everything looked at, nothing changed."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

import typer

from langchain_lmswitch.cli.doctor.findings import Finding, State, verdict
from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import show, show_json
from langchain_lmswitch.cli.session import session_of

if TYPE_CHECKING:
    from rich.table import Table

_MARKS: Final[dict[State, tuple[str, str]]] = {
    "ok": ("ok", "green"),
    "note": ("note", "cyan"),
    "unknown": ("unknown", "yellow"),
    "problem": ("PROBLEM", "bold red"),
}
"""Told by words, so that nothing depends on the colors; the worst comes last, where one looks."""


def doctor(ctx: typer.Context, *, json: Json = False, base_url: BaseUrl = None) -> None:
    """Find out what is wrong, and what helps.

    It looks at settings, packages, folders, the host, its models, GPUs and memory, for five
    seconds at most. It starts no host, loads no model and changes nothing. It ends with 1 if
    anything is wrong.
    """
    from langchain_lmswitch.cli.doctor.examine import examine
    from langchain_lmswitch.switch.portal import portal

    findings = portal().call(examine(session_of(ctx, base_url)))
    if json:
        show_json(record(findings))
    else:
        _show(findings)
    if any(one.state == "problem" for one in findings):
        raise typer.Exit(1)


def _show(findings: Sequence[Finding]) -> None:
    show(listing(findings), "", verdict(findings))


def listing(findings: Sequence[Finding]) -> "Table":
    """Lay the findings out: what is well first, problems last, each with its command."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    order = list(_MARKS)
    for one in sorted(_joined(findings), key=lambda one: order.index(one.state)):
        mark, style = _MARKS[one.state]
        told = Text(one.what)
        what = Group(told, Text(f"-> {one.remedy}", style="bold")) if one.remedy else told
        grid.add_row(Text(mark, style=style), one.name, what)
    return grid


def _joined(findings: Sequence[Finding]) -> list[Finding]:
    """Tell once what keeps several things from being looked at."""
    named: dict[str, list[str]] = {}
    for one in findings:
        if one.state == "unknown" and not one.remedy:
            named.setdefault(one.what, []).append(one.name)
    told = []
    for one in findings:
        names = named.pop(one.what, None) if one.state == "unknown" and not one.remedy else [""]
        if names is not None:
            more = f" (likewise: {', '.join(names[1:])})" if len(names) > 1 else ""
            told.append(replace(one, what=f"{one.what}{more}"))
    return told


def record(findings: Sequence[Finding]) -> dict[str, Any]:
    """Write the findings as JSON values; no remedy is null."""
    return {
        "wrong": any(one.state == "problem" for one in findings),
        "verdict": verdict(findings),
        "findings": [asdict(one) | {"remedy": one.remedy or None} for one in findings],
    }
