"""`lmswitch pin`: models that are never unloaded to make room, in any process."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from langchain_lmswitch.cli.completing import installed
from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import remark, say, show, show_json, table
from langchain_lmswitch.cli.session import Session, session_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_lmswitch.machine.lists import SharedList
    from langchain_lmswitch.settings import Settings

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODEL]",
        help="Its key, or a part that only one key has; without it the pins are listed.",
        autocompletion=installed,
    ),
]
Off = Annotated[bool, typer.Option("--off", help="Take the pin off.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class ByTable:
    """What the user's tables pin."""

    names: tuple[str, ...]
    """The names of the tables that pin, as they are written."""
    models: Mapping[str, str] | None = None
    """The models of the host, each with the table that pins it; `None` if no host runs."""

    @property
    def rows(self) -> tuple[tuple[str, str], ...]:
        """Models with their tables, or the names of the tables for want of a host."""
        models = {name: name for name in self.names} if self.models is None else self.models
        return tuple(models.items())


def pin(
    ctx: typer.Context,
    model: Name = None,
    *,
    off: Off = False,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Never unload a model to make room.

    The pin holds in all of your processes, now and later, until it is taken off. It loads nothing,
    the host's idle timer still runs, and `lmswitch unload` still unloads.
    """
    from langchain_lmswitch.switch.portal import portal

    session = session_of(ctx, base_url)
    if model is None:
        if off:
            raise typer.BadParameter("Name the model whose pin is to be taken off.")
        _list(portal().call(_pins(session)).names, portal().call(_by_table(session)), as_json=json)
        return
    key, changed = portal().call((_off if off else _on)(session, model))
    if json:
        show_json({"model": key, "pinned": not off, "changed": changed})
        return
    if off:
        _tell_off(session.settings(), key)
    else:
        say(f"{key} is {'pinned' if changed else 'pinned already'}.")


async def _on(session: Session, name: str) -> tuple[str, bool]:
    from langchain_lmswitch.switch.byhand import ByHand

    board = await session.board()
    key = (await ByHand(board).named(name)).key
    return key, board.surveyor.pins.by_hand.add(key)


async def _off(session: Session, name: str) -> tuple[str, bool]:
    pins = await _pins(session)
    key = meant(name, pins.names)
    return key, pins.discard(key)


async def _pins(session: Session) -> "SharedList":
    """Give the pins set by hand; a host that is not running need not be started for that."""
    from langchain_lmswitch.switch.pinning import pinned

    if session.host is None:
        return pinned(session.settings())
    return (await session.board()).surveyor.pins.by_hand


async def _by_table(session: Session) -> ByTable:
    """List the models that the user's tables pin, each with its table."""
    from langchain_lmswitch.errors import LMSwitchError
    from langchain_lmswitch.policy.tuning import pinned_by

    tables = session.settings().models
    names = tuple(one.models for one in tables if one.pin)
    try:
        board = await session.running_board() if names else None
        cards = () if board is None else await board.surveyor.cards()
    except LMSwitchError:  # a list of pins needs no host
        board = None
    if board is None:
        return ByTable(names=names)
    found = ((card.key, pinned_by(card, tables)) for card in cards)
    return ByTable(names=names, models={key: name for key, name in found if name is not None})


def meant(name: str, pins: "Sequence[str]") -> str:
    """Give the pinned key that is meant: the same, or the only one that has it as a part.

    Raises:
        InvalidRequest: There is none, or there are several.
    """
    from langchain_lmswitch.errors import InvalidRequest

    word = name.strip().lower()
    found = [name] if name in pins else [key for key in pins if word in key.lower()]
    if len(found) == 1:
        return found[0]
    known = ", ".join(found or pins) or "nothing"
    why = f"{name!r} may be several" if found else f"{name!r} is not pinned by hand"
    raise InvalidRequest(f"{why}. Pinned by hand: {known}. `lmswitch pin` lists all pins.")


def _tell_off(settings: "Settings", key: str) -> None:
    from langchain_lmswitch.policy.tuning import pinned_by
    from langchain_lmswitch.types.models import ModelCard

    table = pinned_by(ModelCard(key=key), settings.models)
    if table is None:
        say(f"{key} may be unloaded to make room again.")
    else:
        say(f"{key} is not pinned by hand any more, but by {_written(table)}.")


def _written(name: str) -> str:
    from langchain_lmswitch.settings.telling import written

    return f"[{written(['models', name])}] in your settings"


def _list(by_hand: "Sequence[str]", by_table: ByTable, *, as_json: bool) -> None:
    if as_json:
        show_json({"by_hand": list(by_hand), "by_table": by_table.names, "models": by_table.models})
        return
    rows = [(key, "lmswitch pin") for key in by_hand]
    rows += [(key, _written(name)) for key, name in by_table.rows]
    if rows:
        show(table("model", "pinned by", rows=rows))
        if by_table.models is None and by_table.names:
            remark(
                "No host tells which models your settings mean; of several tables the first counts."
            )
    else:
        remark("No model is pinned. `lmswitch pin MODEL` keeps one from being unloaded for others.")
