"""`lmswitch explain`: which model would answer, and why; nothing is loaded or called."""

from typing import TYPE_CHECKING

import typer

from langchain_lmswitch.cli.ask import Task
from langchain_lmswitch.cli.options import BaseUrl, Json, Model, Question
from langchain_lmswitch.cli.screen import remark, show, show_json, table
from langchain_lmswitch.cli.session import conversation, session_of
from langchain_lmswitch.cli.units import UNKNOWN, mib

if TYPE_CHECKING:
    from rich.table import Table

    from langchain_lmswitch.types.decisions import Candidate, Decision


def explain(
    ctx: typer.Context,
    text: Question,
    *,
    model: Model = None,
    task: Task = None,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Say which model would answer, and why.

    Nothing is loaded or called.
    """
    llm = session_of(ctx, base_url).chat_model(model=model, task=task)
    decision = llm.explain(conversation(text))
    if json:
        show_json(decision.to_dict())
        return
    show(decision.reason)
    if decision.candidates:
        show("", comparison(decision))
        for line in turning(decision):
            show(line)
    else:
        remark("Install one: `lmswitch pull starter`, or download a chat model in LM Studio.")


def comparison(decision: "Decision") -> "Table":
    """Lay the candidates out, best first, with what speaks for and against each."""
    rows = [_row(one) for one in decision.candidates]
    headings = ("model", "score", "loaded", "fits", "needs", "verdict", "score made of")
    return table(*headings, rows=rows, right=("score", "needs"))


def turning(decision: "Decision") -> list[str]:
    """Say what would make others the chosen ones, a line for each."""
    told = [one for one in decision.candidates if one.wins_if]
    lines = [f"  {one.key}: {', or '.join(one.wins_if)}" for one in told]
    return ["", "Others would answer", *lines] if lines else []


def _row(one: "Candidate") -> tuple[str, ...]:
    fits = {True: "yes", False: "no", None: UNKNOWN}[one.fits]
    needs = "" if one.resident and not one.footprint_bytes else mib(one.footprint_bytes)
    loaded = "yes" if one.resident else ""
    verdict = one.note or "not needed"
    return (one.key, f"{one.score:.3f}", loaded, fits, needs, verdict, ", ".join(one.reasons))
