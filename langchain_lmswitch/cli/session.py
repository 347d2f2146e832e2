"""What every command needs: settings, a host, a monitor; each may be given instead of found."""

import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import typer

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from langchain_lmswitch.chat_models import ChatLMSwitch
    from langchain_lmswitch.cli.pull.sources import Source
    from langchain_lmswitch.hosts.base import Host
    from langchain_lmswitch.machine.monitor import Monitor
    from langchain_lmswitch.settings import Settings
    from langchain_lmswitch.switch.board import Switchboard
    from langchain_lmswitch.types.machine import Snapshot


class Serve(Protocol):
    """What `serve` runs; see `langchain_lmswitch.embedded.server.run`."""

    def __call__(
        self,
        settings: "Settings",
        *,
        port: int | None,
        child: bool,
        no_auth: bool,
        snapshot: "Callable[[], Snapshot]",
        by_hand: Callable[[], Collection[str]],
        on_ready: Callable[[str], None] | None,
    ) -> None:
        """Serve until told to stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One run of the command line; what is `None` is found or imported when it is needed.

    A program that embeds the command line, and every test, hands its own to the app:
    `app(obj=Session(host=...))`.
    """

    base_url: str | None = None
    """Overrides LMSWITCH_BASE_URL."""
    debug: bool = False
    """Whether errors show where they come from."""
    host: "Host | None" = None
    monitor: "Monitor | None" = None
    source: "Source | None" = None
    """Where `pull` gets models from."""
    serve: Serve | None = None
    asks: bool | None = None
    """Whether there is somebody to ask; `None` looks whether it runs on a terminal."""

    def settings(self) -> "Settings":
        """Read the settings.

        Raises:
            BadSettings: A file or the environment has a value that cannot be.
        """
        from langchain_lmswitch.settings import Settings

        return Settings() if self.base_url is None else Settings(base_url=self.base_url)

    def measure(self) -> "Monitor":
        """Give what measures this machine."""
        from langchain_lmswitch.machine.monitor import SystemMonitor

        return self.monitor or SystemMonitor()

    def can_ask(self) -> bool:
        """Tell whether there is somebody who answers questions."""
        on_terminal = sys.stdin.isatty() and sys.stderr.isatty()
        return on_terminal if self.asks is None else self.asks

    async def board(self) -> "Switchboard":
        """Give the switchboard of the host; on the portal's loop only.

        Raises:
            HostNotFound: No host answers and none can be started.
        """
        from langchain_lmswitch.switch.boards import boards

        if self.host is not None:
            return boards().given(self.host, self.monitor, self.settings())
        return await boards().find(self.settings())

    def chat_model(self, **options: Any) -> "ChatLMSwitch":
        """Make the chat model that asks and explains; an option that is `None` is left out."""
        from langchain_lmswitch.chat_models import ChatLMSwitch

        # A bad variable is said to be one, before the chat model finds it in mid-answer.
        self.settings()
        said = {name: value for name, value in options.items() if value is not None}
        return ChatLMSwitch(base_url=self.base_url, host=self.host, monitor=self.monitor, **said)


def session_of(ctx: typer.Context, base_url: str | None = None) -> Session:
    """Give the session of a command, with the address given to the command itself, if any."""
    session = ctx.obj if isinstance(ctx.obj, Session) else Session()
    return session if base_url is None else replace(session, base_url=base_url)


def conversation(text: str, *, system: str | None = None) -> "list[BaseMessage]":
    """Write a question, read from standard input if it is `-`, as messages.

    Raises:
        typer.BadParameter: There is no question.
    """
    from langchain_core.messages import HumanMessage, SystemMessage

    if text == "-":
        text = typer.get_text_stream("stdin", encoding="utf-8", errors="replace").read()
    if not text.strip():
        raise typer.BadParameter("The question is empty.")
    return [*([SystemMessage(system)] if system else []), HumanMessage(text)]
