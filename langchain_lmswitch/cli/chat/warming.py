"""What a chat needs before its first answer, got ready while the user types."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_lmswitch.cli.session import Session

if TYPE_CHECKING:
    from langchain_lmswitch.chat_models import ChatLMSwitch
    from langchain_lmswitch.types.models import ModelCard

T = TypeVar("T")
_POLL_S = 0.1
"""How often who waits wakes up, so that Ctrl-C is noticed."""


class Warm:
    """Imports what is slow to import and looks for a host, in a thread of its own.

    Args:
        session: Where the host is.
        options: The fields of the chat model.
    """

    def __init__(self, session: Session, **options: Any) -> None:
        self._session = session
        self._options = options
        self._llm: Future[ChatLMSwitch] = Future()
        self._found: Future[None] = Future()
        self.names: tuple[str, ...] = ()
        """Keys of the chat models, as far as they are known."""
        self.address: str = ""
        """Of the host; empty while it is not found."""

    def begin(self) -> None:
        """Begin, and return at once."""
        threading.Thread(target=self._warm, name="lmswitch-chat", daemon=True).start()

    @property
    def looking(self) -> bool:
        """Whether the host is still being looked for."""
        return not self._found.done()

    def when_found(self, call: Callable[[], object]) -> None:
        """Have something called, in any thread, once the search for a host is over."""
        self._found.add_done_callback(lambda _: call())

    def llm(self) -> "ChatLMSwitch":
        """Give the chat model, once it is there.

        Raises:
            BadSettings: A setting has a value that it cannot have.
        """
        return _waited(self._llm)

    def cards(self) -> "list[ModelCard]":
        """Ask the host for its chat models.

        Raises:
            HostNotFound: No host answers and none can be started.
        """
        from langchain_lmswitch.switch.portal import portal

        self.llm()
        cards = portal().call(self._cards())
        self.names = tuple(sorted(card.key for card in cards))
        return cards

    def _warm(self) -> None:
        try:
            from langchain_lmswitch.graph import routers  # noqa: F401 - for the first answer

            self._llm.set_result(self._session.chat_model(**self._options))
        except BaseException as error:  # noqa: BLE001 - raised where it is asked for
            self._llm.set_exception(error)
        self._look()

    def _look(self) -> None:
        from langchain_lmswitch.errors import LMSwitchError

        try:
            self.cards()
        except LMSwitchError:  # told when the first question meets it
            pass
        except BaseException as error:  # noqa: BLE001 - the same that the chat model meets
            self._found.set_exception(error)
            return
        self._found.set_result(None)

    async def _cards(self) -> "list[ModelCard]":
        board = await self._session.board()
        self.address = board.host.address
        return [card for card in await board.surveyor.cards() if card.kind == "llm"]


def _waited(future: Future[T]) -> T:
    while not future.done():
        try:
            return future.result(timeout=_POLL_S)
        except TimeoutError:
            continue
    return future.result()
