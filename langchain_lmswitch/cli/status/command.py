"""`lmswitch status`: one look at the host, or one after the other."""

from typing import Annotated

import typer

from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import show, show_json
from langchain_lmswitch.cli.session import Session, session_of
from langchain_lmswitch.cli.status.past import SHOWN
from langchain_lmswitch.cli.status.seen import Status

Watch = Annotated[
    bool, typer.Option("--watch", "-w", help="Keep looking until q or Ctrl-C; see --every.")
]
Every = Annotated[
    float,
    typer.Option("--every", metavar="SECONDS", min=0.1, help="With --watch: between two looks."),
]
Count = Annotated[
    int | None,
    typer.Option(
        "--count", "-n", metavar="N", min=1, help="With --watch: end after so many looks."
    ),
]


def status(
    ctx: typer.Context,
    *,
    watch: Watch = False,
    every: Every = 1.0,
    count: Count = None,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Show the host, what is in memory, what happened.

    It only looks: no host is started, no model loaded. With --watch it fills the terminal; where
    there is none it prints one record after the other, with --json one object a line.
    """
    if count is not None and not watch:
        raise typer.BadParameter("--count goes with --watch.")
    session = session_of(ctx, base_url)
    if watch:
        from langchain_lmswitch.cli.status.watching import watch as keep_looking

        keep_looking(session, every_s=every, count=count, json=json)
        return
    now = _once(session)
    if json:
        from langchain_lmswitch.cli.status.record import record

        show_json(record(now))
    else:
        show_status(now)


def memory(session: Session) -> None:
    """Print what is in memory, without the past."""
    show_status(_once(session), latest=0)


def show_status(now: Status, *, latest: int = SHOWN) -> None:
    """Print a status for a person, with so many answers and decisions of the past."""
    from langchain_lmswitch.cli.screen import console, is_plain
    from langchain_lmswitch.cli.status.overview import screen

    out = console()
    show(*screen(now, columns=out.width, latest=latest, plain=is_plain(out)))


def _once(session: Session) -> Status:
    from langchain_lmswitch.cli.status.looking import Lookout
    from langchain_lmswitch.switch.portal import portal

    async def look() -> Status:
        lookout = Lookout(session)
        try:
            return await lookout.look()
        finally:
            await lookout.aclose()

    return portal().call(look())
