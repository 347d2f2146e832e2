"""`lmswitch status --watch`: one look after the other, until somebody has seen enough."""

import asyncio
import json as text
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Final

import typer

from langchain_lmswitch.cli.screen import console, is_plain, say
from langchain_lmswitch.cli.status.command import show_status
from langchain_lmswitch.cli.status.looking import Lookout
from langchain_lmswitch.cli.status.overview import fitting, screen
from langchain_lmswitch.cli.status.record import record
from langchain_lmswitch.cli.status.seen import Status
from langchain_lmswitch.switch.portal import portal

if TYPE_CHECKING:
    from rich.console import Console, RenderableType

    from langchain_lmswitch.cli.session import Session

_ENDS: Final = frozenset({"q", "Q", "c-c", "c-d", "escape"})
"""Keys that end it."""

Show = Callable[[Status], None]


def watch(session: "Session", *, every_s: float, count: int | None, json: bool) -> None:
    """Look again and again.

    1. As JSON, each look is one line.
    2. On a terminal each takes the place of the one before, on a screen of its own that leaves no
       trace; q, Escape or Ctrl-C ends it.
    3. Elsewhere they are printed one after the other.
    """
    out = console()
    if json:  # 1
        _run(session, _print_line, every_s=every_s, count=count)
    elif out.is_terminal and not out.is_dumb_terminal:  # 2
        with _filled(out) as show:
            _run(session, show, every_s=every_s, count=count)
    else:  # 3
        _run(session, _print, every_s=every_s, count=count)


def _run(session: "Session", show: Show, *, every_s: float, count: int | None) -> None:
    # Ctrl-C is how a watch ends: it is no failure.
    with suppress(KeyboardInterrupt):
        asyncio.run(_keep_looking(Lookout(session), show, every_s=every_s, count=count))


async def _keep_looking(lookout: Lookout, show: Show, *, every_s: float, count: int | None) -> None:
    enough = asyncio.Event()
    try:
        with _keys(enough.set):
            while not enough.is_set():
                show(await portal().acall(lookout.glance()))
                count = None if count is None else count - 1
                if count == 0:
                    return
                with suppress(TimeoutError):
                    await asyncio.wait_for(enough.wait(), every_s)
    finally:
        await portal().acall(lookout.aclose())


@contextmanager
def _keys(enough: Callable[[], None]) -> Iterator[None]:
    """Listen for the keys that end it, if there is a keyboard."""
    import sys

    from prompt_toolkit.input import create_input

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        yield
        return
    keyboard = create_input()

    def pressed() -> None:
        keys = [*keyboard.read_keys(), *keyboard.flush_keys()]
        if keyboard.closed or any(str(getattr(one.key, "value", one.key)) in _ENDS for one in keys):
            enough()

    with keyboard.raw_mode(), keyboard.attach(pressed):
        yield


@contextmanager
def _filled(out: "Console") -> Iterator[Show]:
    """Take a screen of its own, and give it back."""
    from rich.console import Group
    from rich.live import Live

    def framed(now: Status) -> "RenderableType":
        latest = fitting(now, rows=out.height)
        told = screen(now, columns=out.width, latest=latest, plain=is_plain(out))
        return Group(_clock(now), *told)

    with Live(console=out, screen=True, auto_refresh=False, vertical_overflow="crop") as live:
        yield lambda now: live.update(framed(now), refresh=True)


def _clock(now: Status) -> "RenderableType":
    import time

    from rich.text import Text

    at = time.strftime("%H:%M:%S", time.localtime(now.at_s))
    return Text(f"{at}, q ends", style="dim")


def _print(now: Status) -> None:
    import time

    typer.echo(time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now.at_s)))
    show_status(now)
    typer.echo()


def _print_line(now: Status) -> None:
    say(text.dumps(record(now), ensure_ascii=False))
