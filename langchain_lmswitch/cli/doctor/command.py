"""`lmswitch doctor`: everything looked at, nothing changed."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Final

import typer

from langchain_lmswitch.cli.doctor.findings import Finding, State, verdict
from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import console, show_json
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
_MARK_WIDTH: Final = max(len(mark) for mark, _ in _MARKS.values())
_GAP: Final = 2


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
    out = console()
    with out.capture() as caught:
        for piece in (*pieces(findings), "", verdict(findings)):
            # A command or a sum of commands is never broken: it is to be copied.
            out.print(piece, soft_wrap=isinstance(piece, str))
    typer.echo("\n".join(line.rstrip() for line in caught.get().splitlines()))


def pieces(findings: Sequence[Finding]) -> "Iterator[Table | str]":
    """Lay the findings out: what is well first, problems last, each above its command."""
    order, width = list(_MARKS), max((len(one.name) for one in findings), default=0)
    for one in sorted(_joined(findings), key=lambda one: order.index(one.state)):
        yield _row(one, width)
        if one.remedy:
            yield f"{' ' * (_MARK_WIDTH + width + 2 * _GAP)}-> {one.remedy}"


def _row(one: Finding, name_width: int) -> "Table":
    from rich.table import Table
    from rich.text import Text

    mark, style = _MARKS[one.state]
    grid = Table.grid(padding=(0, _GAP))
    grid.add_column(width=_MARK_WIDTH)
    grid.add_column(width=name_width)
    grid.add_column(overflow="fold")
    grid.add_row(Text(mark, style=style), one.name, Text(one.what))
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
