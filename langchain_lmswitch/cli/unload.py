"""`lmswitch unload`: memory back at once."""

from typing import TYPE_CHECKING, Annotated

import typer

from langchain_lmswitch.cli.completing import loaded
from langchain_lmswitch.cli.guard import FAILED
from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import plain, remark, say, show_json
from langchain_lmswitch.cli.session import Session, session_of
from langchain_lmswitch.types.units import size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_lmswitch.switch.byhand import Leaving
    from langchain_lmswitch.types.models import Resident

Name = Annotated[
    str | None,
    typer.Argument(
        metavar="[MODEL]",
        help="Its key, a part that only one key has, or what it is loaded as.",
        autocompletion=loaded,
    ),
]
All = Annotated[bool, typer.Option("--all", help="Unload what others have loaded, too.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before breaking off an answer.")]


def unload(
    ctx: typer.Context,
    model: Name = None,
    *,
    everything: All = False,
    yes: Yes = False,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Unload a model, or all that lmswitch has loaded.

    It asks before it unloads one that another program is using: its answer breaks off.
    """
    from langchain_lmswitch.switch.portal import portal

    if model is not None and everything:
        raise typer.BadParameter("Name a model, or say --all.")
    session = session_of(ctx, base_url)
    leaving = portal().call(_leaving(session, model, everything=everything))
    _agree([one for one in leaving if one.busy], yes=yes, ask=not json)
    unloaded = portal().call(_unload(session, leaving)) if leaving else []
    if json:
        show_json({"unloaded": [one.identifier for one in unloaded]})
        return
    _say(leaving, unloaded, name=model)


async def _leaving(session: Session, name: str | None, *, everything: bool) -> "list[Leaving]":
    """List what would leave; where no host runs, none is started to find that it holds nothing."""
    from langchain_lmswitch.switch.byhand import ByHand

    board = await session.running_board()
    return [] if board is None else await ByHand(board).leaving(name, everything=everything)


async def _unload(session: Session, leaving: "Sequence[Leaving]") -> "list[Resident]":
    from langchain_lmswitch.switch.byhand import ByHand

    return await ByHand(await session.board()).unload(leaving)


def _agree(busy: "Sequence[Leaving]", *, yes: bool, ask: bool) -> None:
    """Ask whether answers may be broken off.

    Raises:
        InvalidRequest: Nobody can be asked.
        typer.Exit: They may not.
    """
    from langchain_lmswitch.errors import InvalidRequest

    if yes or not busy:
        return
    names = ", ".join(one.resident.identifier for one in busy)
    used = f"{names} {'is' if len(busy) == 1 else 'are'} in use by another program"
    if not ask:
        raise InvalidRequest(f"{used}. Say --yes to break that off, or try again when it is done.")
    if not typer.confirm(plain(f"{used}. Break that off?"), err=True):
        remark("Nothing was unloaded.")
        raise typer.Exit(FAILED)


def _say(leaving: "Sequence[Leaving]", unloaded: "Sequence[Resident]", *, name: str | None) -> None:
    left = {one.identifier for one in unloaded}
    for one in leaving:
        if one.resident.identifier in left:
            say(f"{one.resident.identifier} was unloaded: about {size(one.held_bytes)}.")
        if one.pinned:
            key = one.resident.key
            remark(f"{key} is still pinned, and stays the next time that it is loaded.")
    if not leaving:
        remark(f"{name} is not loaded." if name else "Nothing is loaded that lmswitch has loaded.")
