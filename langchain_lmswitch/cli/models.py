"""`lmswitch models`: what is installed, what it can do, and whether it fits now."""

import asyncio
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from langchain_lmswitch.cli.completing import installed
from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import console, remark, show, show_json
from langchain_lmswitch.cli.session import Session, session_of
from langchain_lmswitch.cli.shelf import LEAVING, Fit, Row, Shelf, listing, ordered, reasons
from langchain_lmswitch.types.plans import Load, Plan, Refusal, Use
from langchain_lmswitch.types.tasks import TaskKind
from langchain_lmswitch.types.units import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from langchain_lmswitch.switch.surveyor import Survey, Surveyor
    from langchain_lmswitch.types.grades import Expected
    from langchain_lmswitch.types.machine import Footprint
    from langchain_lmswitch.types.models import LoadSpec, ModelCard

Wish = Annotated[
    str | None,
    typer.Argument(
        metavar="MODELS",
        help="Only these: a part of their keys, a glob such as 'qwen*', or tools or vision.",
        autocompletion=installed,
    ),
]
Task = Annotated[
    TaskKind | None,
    typer.Option("--task", help="Rank them by how often they get such requests right."),
]

_LEAST_TOKENS: Final = 2048
"""A model that fits with less context only is said not to fit."""


def models(
    ctx: typer.Context,
    wish: Wish = None,
    *,
    task: Task = None,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """List the models: what they can do, if they fit.

    Those in memory come first, then those that fit. "context" is what they are, or would be loaded
    with; "tokens/s" was measured here. With --task, "right" is the share of such requests that a
    model is expected to get right: what is known of its kind ("prior"), and what was "learnt" here.
    """
    from langchain_lmswitch.switch.portal import portal

    shelf = portal().call(_look(session_of(ctx, base_url), wish, task))
    if json:
        show_json(record(shelf))
    elif shelf.rows:
        columns = console().width
        show(listing(shelf, columns=columns))
        for line in reasons(shelf, columns=columns):
            remark(line)
    else:
        remark(
            f"No model is installed at {shelf.address}. Run `lmswitch pull starter`, "
            "or download one in LM Studio."
        )


async def _look(session: Session, wish: str | None, task: TaskKind | None) -> Shelf:
    board = await session.board()
    surveyor = board.surveyor
    cards = _wanted(await surveyor.cards(), wish)
    expected = await _expected(surveyor, cards, task) if task else {}
    if task:
        cards = [card for card in cards if card.key in expected]
    await asyncio.gather(*(_footprint(surveyor, card) for card in cards))  # once, all at a time
    survey = await surveyor.survey()
    rows = [await _row(surveyor, card, survey, expected.get(card.key)) for card in cards]
    gpus = survey.snapshot.gpus or ()
    return Shelf(
        address=board.host.address,
        rows=ordered(rows),
        on_gpus=any(not gpu.unified for gpu in gpus),
    )


def _wanted(cards: "Sequence[ModelCard]", wish: str | None) -> "list[ModelCard]":
    """Pick the models that are meant.

    Raises:
        UnknownModel: There are some, and none of them is.
    """
    from langchain_lmswitch.errors import UnknownModel
    from langchain_lmswitch.policy.naming import nearest
    from langchain_lmswitch.policy.wishes import matches

    found = [card for card in cards if wish is None or matches(card, wish)]
    if cards and not found:
        raise UnknownModel(wish or "", nearest=nearest(wish or "", [card.key for card in cards]))
    return found


async def _expected(
    surveyor: "Surveyor", cards: "Sequence[ModelCard]", task: TaskKind
) -> "Mapping[str, Expected]":
    """Tell how good the chat models are at a task, from their kind and from what was learnt."""
    from langchain_lmswitch.policy.nodes import task_of
    from langchain_lmswitch.policy.permissions import under_rules
    from langchain_lmswitch.policy.scoring import expect

    await surveyor.learning.begin()
    settings = surveyor.settings
    asked = under_rules(
        task_of(task, evidence="you asked for it"),
        allow=settings.allow,
        deny=settings.deny,
        roles=settings.roles,
    )
    return expect(asked, cards, surveyor.learning.lessons)


async def _row(
    surveyor: "Surveyor", card: "ModelCard", survey: "Survey", expected: "Expected | None"
) -> Row:
    holding = [one.resident for one in survey.occupants if one.resident.key == card.key]
    spec, cost, verdict = await _best(surveyor, card, survey)
    held_tokens = next((one.context_tokens for one in holding), 0)
    return Row(
        card=card,
        holding=holding,
        footprint=cost,
        context_tokens=held_tokens or (spec.context_tokens or 0) * (card.kind == "llm"),
        fit=verdict,
        pace=surveyor.learning.pace(card.key),
        expected=expected,
    )


async def _best(
    surveyor: "Surveyor", card: "ModelCard", survey: "Survey"
) -> "tuple[LoadSpec, Footprint | None, Fit]":
    """Find the largest context that a model fits with; the usual one, if it fits with none."""
    usual = None
    for spec in surveyor.specs(card, least_tokens=_LEAST_TOKENS):
        cost = await _footprint(surveyor, card, spec)
        found = spec, cost, _fit(surveyor, spec, cost, survey)
        usual = usual or found
        if found[2].fits is not False:
            return found
    return usual or (surveyor.spec(card), None, Fit(fits=None, why=UNKNOWN))


async def _footprint(
    surveyor: "Surveyor", card: "ModelCard", spec: "LoadSpec | None" = None
) -> "Footprint | None":
    from langchain_lmswitch.errors import BadModelFile, HostFailed, UnknownModel

    try:
        return await surveyor.footprint(card, spec)
    except (BadModelFile, HostFailed, UnknownModel):
        return None


def _fit(
    surveyor: "Surveyor", spec: "LoadSpec", footprint: "Footprint | None", survey: "Survey"
) -> Fit:
    plan = surveyor.plan(spec, footprint, survey, needed_tokens=0, patient=True)
    return fit(plan, footprint, measured=survey.snapshot.ram_free_bytes is not None)


def fit(plan: Plan | Refusal, footprint: "Footprint | None", *, measured: bool) -> Fit:
    """Say whether a model fits, and why.

    1. It is in memory.
    2. What it costs is unknown, or the memory of a remote machine is: the host's word, if any.
    3. The plan to load it, or why there is none.
    """
    match plan:
        case Use():  # 1
            return Fit(fits=True, why="yes")
        case Load() if footprint is None or not measured:  # 2
            return _by_host(footprint)
        case Load(evict=evict):  # 3
            leaving = ", ".join(one.key for one in evict)
            return Fit(fits=True, why=f"{LEAVING} {leaving}" if evict else "yes")
        case Refusal(reason=reason):
            return Fit(fits=False, why=f"no: {reason}")


def _by_host(footprint: "Footprint | None") -> Fit:
    said = footprint.fits_by_host if footprint else None
    words = {True: "yes, says its host", False: "no, says its host", None: UNKNOWN}
    return Fit(fits=said, why=words[said])


def record(shelf: Shelf) -> dict[str, Any]:
    """Write the models as JSON values; what is unknown is null."""
    return {"host": shelf.address, "models": [_record(row) for row in shelf.rows]}


def _record(row: Row) -> dict[str, Any]:
    cost, expected = row.footprint, row.expected
    told = {
        **asdict(row.card),
        "can": row.can,
        "resident": [one.identifier for one in row.holding],
        "footprint_bytes": cost.total_bytes if cost else None,
        "ram_bytes": cost.ram_bytes if cost else None,
        "vram_bytes": cost.vram_bytes if cost else None,
        "context_tokens": row.context_tokens or None,
        "fits": row.fit.fits,
        "why": row.fit.why,
        "tokens_per_second": row.pace.tokens_per_second if row.pace else None,
    }
    if expected is None:
        return told
    quality = {"quality": expected.quality, "prior": expected.prior, "reasons": expected.reasons}
    return {**told, "task": {**quality, "reasons": list(expected.reasons)}}
