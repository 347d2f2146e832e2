"""`lmswitch learn show`: how good and how fast the models have been here."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

import typer

from langchain_lmswitch.cli import screen
from langchain_lmswitch.cli.options import Json
from langchain_lmswitch.cli.session import session_of
from langchain_lmswitch.types.units import UNKNOWN, duration

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from langchain_lmswitch.ledger.base import Ledger
    from langchain_lmswitch.policy.learnt import Learnt

_POINTS: Final = 100


def show(ctx: typer.Context, *, json: Json = False) -> None:
    """Show what was learnt of each model.

    "Learnt" is by how many points of 100 it is better, by task, than one of its kind that nobody
    has graded. No host is asked.
    """
    from langchain_lmswitch.ledger.sqlite import SqliteLedger

    path = session_of(ctx).settings().ledger_path
    found = summary(SqliteLedger(path))
    if json:
        screen.show_json({"ledger": str(path), "models": [record(one) for one in found]})
    elif found:
        screen.show(listing(found))
    else:
        screen.remark(f"Nothing has been learnt yet; {path} has no answers and no grades.")


def summary(ledger: "Ledger") -> "list[Learnt]":
    """Sum up a ledger."""
    from langchain_lmswitch.policy.learnt import learnt

    grades, answers = ledger.grades(), ledger.answers()
    hosts = {*(one.host for one in grades), *(one.host for one in answers)}
    loads = [load for host in sorted(hosts) for load in ledger.loads(host)]
    return learnt(grades, answers, loads)


def listing(found: "Sequence[Learnt]") -> "Table":
    """Lay out what was learnt, a line for each model; with its host, if there are several."""
    headings = ("model", "answers", "grades", "mean", "tokens/s", "first token", "load", "learnt")
    hosts = {one.host for one in found}
    rows = [_row(one, host=len(hosts) > 1) for one in found]
    return screen.table(*headings, rows=rows, right=headings[1:-1])


def _row(one: "Learnt", *, host: bool) -> tuple[str, ...]:
    rate = one.pace.tokens_per_second
    by_task = [f"{kind} {points * _POINTS:+.1f}" for kind, points in one.by_task.items()]
    return (
        f"{one.key} ({one.host})" if host else one.key,
        f"{one.answers:,}",
        f"{one.grades:,}",
        UNKNOWN if one.mean is None else f"{one.mean:.2f}",
        UNKNOWN if rate is None else f"{rate:,.1f}",
        _seconds(one.pace.first_token_s),
        _seconds(one.load_s),
        ", ".join(by_task),
    )


def _seconds(seconds: float | None) -> str:
    return UNKNOWN if seconds is None else duration(seconds)


def record(one: "Learnt") -> dict[str, Any]:
    """Write what was learnt of a model as JSON values; what is unknown is null."""
    told = asdict(one)
    pace = told.pop("pace")
    del pace["answers"]
    points = told.pop("by_task")
    learnt = {kind: round(share * _POINTS, 2) for kind, share in points.items()}
    return {**told, "learnt_points": learnt, **pace}
