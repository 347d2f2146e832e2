"""Which models are never unloaded to make room, and who says so."""

from collections.abc import Callable
from typing import Final

from langchain_lmswitch.hosts.addresses import parse_address
from langchain_lmswitch.machine.lists import SharedList
from langchain_lmswitch.machine.neighbors import place
from langchain_lmswitch.settings import Settings

_HERE: Final = "127.0.0.1"


class Pinning:
    """The pins that hold in this process, by model key.

    1. Those of this process end with it: `llm.pin`.
    2. Those set by hand hold in all processes of the user, until they are taken off:
       `lmswitch pin`.
    3. Those of the user's tables hold in every process that reads them: `[models."coder"]`.

    Args:
        by_hand: The keys of 2.
        by_table: Tells whether a table pins a key.
    """

    def __init__(self, by_hand: SharedList, by_table: Callable[[str], bool]) -> None:
        self._here: set[str] = set()
        self.by_hand = by_hand
        self._by_table = by_table

    def add(self, key: str) -> None:
        """Pin a model in this process; safe to repeat."""
        self._here.add(key)

    def discard(self, key: str) -> None:
        """Take this process's pin off; those of others stay. Safe to repeat."""
        self._here.discard(key)

    def __contains__(self, key: str) -> bool:
        """Tell whether a model is pinned, by whomever."""
        return key in self._here or self.lasting(key)

    def lasting(self, key: str) -> bool:
        """Tell whether a pin outlives this process."""
        return key in self.by_hand.names or self._by_table(key)


def pinned(settings: Settings, address: str | None = None) -> SharedList:
    """Give the keys that the user has pinned by hand on the computer of a host.

    Its port does not count: an embedded host has another one each time, and LM Studio has several.

    Args:
        settings: They say where such things lie.
        address: The host's; `None` is the one that the settings name, else one on this computer.
    """
    address = address or settings.base_url or _HERE
    computer = place(parse_address(address).rpartition(":")[0])
    return SharedList(settings.home / "pins" / f"{computer}.json")
