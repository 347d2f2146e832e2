"""What a request wants of the switchboard."""

from collections.abc import Callable
from dataclasses import dataclass

from langchain_lmswitch.types.events import SwitchEvent
from langchain_lmswitch.types.models import ModelCard


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A model that somebody waits for."""

    card: ModelCard
    needed_tokens: int
    """The context that would hold all of the request."""
    least_tokens: int = 0
    """The context without which it cannot be answered at all."""
    tell: Callable[[SwitchEvent], None]
    call: str = ""
    """Names the lease that is wanted."""
    hold: bool = False
    """Whether it is kept for as long as a user wants."""
    ahead: bool = False
    """Whether nobody waits for it yet: it makes nobody leave who was used lately."""
