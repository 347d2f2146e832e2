"""All that a chat has in hand between two lines."""

from dataclasses import dataclass, field
from pathlib import Path

import typer

from langchain_lmswitch.cli.chat.conversation import Conversation
from langchain_lmswitch.cli.chat.showing import Showing
from langchain_lmswitch.cli.chat.view import View
from langchain_lmswitch.cli.chat.warming import Warm
from langchain_lmswitch.cli.chat.wishes import Wishes
from langchain_lmswitch.types.events import SwitchEvent


@dataclass(slots=True)
class News:
    """Passes on what happens before the first token to whoever shows the answer."""

    showing: Showing | None = None

    def tell(self, event: SwitchEvent) -> None:
        """Show an event, if an answer is on its way."""
        if self.showing is not None:
            self.showing.tell(event)


@dataclass(slots=True, kw_only=True)
class State:
    """What was said, what is asked for, and where it is shown."""

    ctx: typer.Context
    """For other commands of ours that the chat runs."""
    warm: Warm
    news: News
    view: View
    wishes: Wishes = field(default_factory=Wishes)
    conversation: Conversation = field(default_factory=Conversation)
    draft: str = ""
    """What the next line begins with."""
    saved_as: Path | None = None
    """The file that holds this conversation as it was a while ago."""
    failures: list[int] = field(default_factory=list)
    """Exit codes of what went wrong, in the order of time."""
    ended: bool = False

    @property
    def debug(self) -> bool:
        """Whether errors show where they come from."""
        return bool(self.ctx.obj.debug)
