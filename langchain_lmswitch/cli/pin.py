"""`lmswitch pin`: models that are never unloaded to make room, in any process."""

from typing import TYPE_CHECKING, Annotated

import typer

from langchain_lmswitch.cli.completing import installed
from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import remark, say, show, show_json, table
from langchain_lmswitch.cli.session import Session, session_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_lmswitch.machine.lists import SharedList

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODEL]",
        help="Its key, or a part that only one key has; without it the pins are listed.",
        autocompletion=installed,
    ),
]
Off = Annotated[bool, typer.Option("--off", help="Take the pin off.")]


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
    by_table = [one.models for one in session.settings().models if one.pin]
    if model is None:
        if off:
            raise typer.BadParameter("Name the model whose pin is to be taken off.")
        _list(portal().call(_pins(session)).names, by_table, as_json=json)
        return
    key, changed = portal().call((_off if off else _on)(session, model))
    if json:
        show_json({"model": key, "pinned": not off, "changed": changed})
        return
    if off:
        say(f"{key} may be unloaded to make room again.")
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


def _list(by_hand: "Sequence[str]", by_table: "Sequence[str]", *, as_json: bool) -> None:
    if as_json:
        show_json({"by_hand": list(by_hand), "by_table": list(by_table)})
        return
    rows = [(key, "lmswitch pin") for key in by_hand]
    rows += [(models, f'[models."{models}"] in your settings') for models in by_table]
    if rows:
        show(table("model", "pinned by", rows=rows))
    else:
        remark("No model is pinned. `lmswitch pin MODEL` keeps one from being unloaded for others.")
