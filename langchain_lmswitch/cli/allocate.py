"""`lmswitch allocate`: a model for each node of a graph, settled beforehand."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from langchain_lmswitch.cli.guard import FAILED
from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import remark, show, show_json, table
from langchain_lmswitch.cli.session import Session, session_of
from langchain_lmswitch.types.units import duration, size

if TYPE_CHECKING:
    from langchain_lmswitch.ledger.base import Ledger
    from langchain_lmswitch.policy.allocating import Allocation, Setting
    from langchain_lmswitch.policy.nodes import Asked
    from langchain_lmswitch.policy.turnover import Installed
    from langchain_lmswitch.settings import Settings
    from langchain_lmswitch.switch.surveyor import Surveyor
    from langchain_lmswitch.types.models import ModelCard
    from langchain_lmswitch.types.tasks import Task

_LAST: Final = 2000
_PER: Final = 100
"""Calls that loads are told for."""
_NONE: Final = (
    "No node is in the log: each call of a chat model inside a LangGraph node notes its name. "
    "Or name the nodes: --nodes plan=reasoning,write=code"
)

GraphFile = Annotated[
    str | None,
    typer.Argument(
        metavar="GRAPHFILE",
        help="A graph: FILE.json of get_graph().to_json(), or FILE.py:NAME, which is run.",
        show_default=False,
    ),
]
Nodes = Annotated[
    str | None,
    typer.Option("--nodes", metavar="A,B=TASK", help="Nodes, each with its task if it is known."),
]
Quality = Annotated[
    float, typer.Option("--quality", "-q", min=0, max=1, help="0 is the fastest, 1 the best.")
]
Last = Annotated[int, typer.Option("--last", "-n", min=1, help="How many decisions to read.")]


def allocate(
    ctx: typer.Context,
    graphfile: GraphFile = None,
    *,
    nodes: Nodes = None,
    quality: Quality = 0.5,
    last: Last = _LAST,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Settle which model each node of a graph gets.

    By what the nodes have asked for, and how good the answers were; nothing is loaded or called.
    The nodes are those of GRAPHFILE, those named, or else all in the log. With --json, "nodes" is
    what ChatLMSwitch(nodes=...) takes.
    """
    from langchain_lmswitch.ledger.sqlite import SqliteLedger
    from langchain_lmswitch.policy.allocating import allocate as settled
    from langchain_lmswitch.policy.allocating import single
    from langchain_lmswitch.switch.portal import portal

    session = session_of(ctx, base_url)
    ledger = SqliteLedger(session.settings().ledger_path)
    asked = _asked(ledger, graphfile, nodes, last=last)
    if not asked.tasks:
        remark(_NONE)
        raise typer.Exit(FAILED)
    setting = portal().call(_setting(session, ledger, asked, quality=quality))
    found, alone = settled(setting), single(setting)
    if json:
        show_json(record(found, alone, asked.calls))
    else:
        _tell(found, alone, setting, asked.calls)


def _asked(ledger: "Ledger", graphfile: str | None, nodes: str | None, *, last: int) -> "Asked":
    from langchain_lmswitch.cli.graphs import node_names
    from langchain_lmswitch.ledger.visits import visits
    from langchain_lmswitch.policy.nodes import asked_of, named_task

    return asked_of(
        visits(ledger.decisions(last)),
        graph=node_names(graphfile) if graphfile else (),
        told=dict(map(named_task, nodes.split(","))) if nodes else {},
    )


async def _setting(
    session: Session, ledger: "Ledger", asked: "Asked", *, quality: float
) -> "Setting":
    from langchain_lmswitch.policy.allocating import Setting
    from langchain_lmswitch.policy.costs import price
    from langchain_lmswitch.policy.lessons import Lessons
    from langchain_lmswitch.policy.nodes import node_of

    surveyor = (await session.board()).surveyor
    await surveyor.learning.begin()
    cards = [one for one in await surveyor.cards() if one.kind == "llm"]
    grades = ledger.grades(surveyor.learning.answers.name)
    lessons = Lessons(grades)
    seen = {card.key: surveyor.learning.pace(card.key) for card in cards}
    paces = {key: pace for key, pace in seen.items() if pace}
    return Setting(
        nodes=[
            node_of(name, tasks, cards, lessons=lessons, grades=grades, paces=paces)
            for name, tasks in _ruled(asked, surveyor.settings).items()
        ],
        models=await _installed(surveyor, cards),
        order=asked.order,
        budget_bytes=await _room(surveyor),
        price=price(quality),
    )


def _ruled(asked: "Asked", settings: "Settings") -> "dict[str, list[Task]]":
    """Put what nodes ask for under the user's rules of today."""
    from langchain_lmswitch.policy.permissions import under_rules

    return {
        name: [
            under_rules(one, allow=settings.allow, deny=settings.deny, roles=settings.all_roles)
            for one in tasks
        ]
        for name, tasks in asked.tasks.items()
    }


async def _installed(surveyor: "Surveyor", cards: "list[ModelCard]") -> "dict[str, Installed]":
    from langchain_lmswitch.policy.turnover import Installed

    footprints = await surveyor.footprints(cards)
    return {
        card.key: Installed(
            bytes=footprints[card.key].total_bytes,
            load_s=surveyor.learning.load_s(card.key, card.size_bytes),
        )
        for card in cards
    }


async def _room(surveyor: "Surveyor") -> int | None:
    """Give what models may hold together: what is free, and what would leave for them."""
    from langchain_lmswitch.policy.admission import room

    survey = await surveyor.survey()
    headroom_bytes = surveyor.settings.headroom_bytes
    free_bytes = room(survey.snapshot, occupants=survey.occupants, headroom_bytes=headroom_bytes)
    leaving_bytes = sum(one.bytes for one in survey.occupants if not one.keep)
    return None if free_bytes is None else max(0, free_bytes) + leaving_bytes


def record(
    found: "Allocation", alone: "Allocation | None", calls: Mapping[str, int]
) -> dict[str, Any]:
    """Write an allocation as JSON values."""
    return {
        "nodes": {node: {"model": key} for node, key in found.models.items()},
        "calls": dict(calls),
        "expected": _expected(found),
        "one_model": _expected(alone) if alone else None,
    }


def _expected(one: "Allocation") -> dict[str, Any]:
    return {
        "models": sorted(one.keys),
        "quality": round(one.quality, 4),
        "answer_s": round(one.answer_s, 2),
        "loads_per_100_calls": round(_PER * one.loads, 2),
        "load_s_per_100_calls": round(_PER * one.load_s, 2),
        "value": round(one.value, 4),
    }


def _tell(
    found: "Allocation", alone: "Allocation | None", setting: "Setting", calls: Mapping[str, int]
) -> None:
    rows = [_row(one.name, one.quality, found, calls) for one in setting.nodes]
    headings = ("node", "model", "calls", "quality", "best other")
    show(table(*headings, rows=rows, right=("calls", "quality")))
    if not found.models:
        remark("No installed model can answer them; `lmswitch models` shows what they are.")
        return
    show("", _summary("So allocated", found, setting))
    if alone and alone.models != found.models:
        show(_summary(f"{next(iter(alone.keys))} for all", alone, setting))


def _row(
    name: str, quality: Mapping[str, float], found: "Allocation", calls: Mapping[str, int]
) -> tuple[str, ...]:
    key = found.models.get(name, "")
    others = sorted(quality.keys() - {key}, key=lambda one: (-quality[one], one))
    following = f"{others[0]} {quality[others[0]]:.3f}" if others else ""
    expected = f"{quality[key]:.3f}" if key else ""
    return (name, key or "none can", str(calls[name] or "none yet"), expected, following)


def _summary(what: str, one: "Allocation", setting: "Setting") -> str:
    held_bytes = sum(setting.models[key].bytes for key in one.keys)
    return (
        f"{what}: quality {one.quality:.3f}, {duration(one.answer_s)} for an answer, "
        f"{_PER * one.loads:.0f} loads of {duration(_PER * one.load_s)} in {_PER} calls, "
        f"{size(held_bytes)} if all are loaded."
    )
