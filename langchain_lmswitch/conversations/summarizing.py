"""Having summaries written by any chat model, in the background."""

import logging
import threading
from asyncio import CancelledError
from collections.abc import Sequence
from contextvars import Context
from typing import Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.fitting import Fitted
from langchain_lmswitch.context.pauses import Attempts
from langchain_lmswitch.context.summaries import fresh_request, source_of
from langchain_lmswitch.context.summarized import next_piece
from langchain_lmswitch.context.tree import Piece
from langchain_lmswitch.switch.summarizers import summary_in

log: logging.Logger = logging.getLogger(__name__)

_WAIT_S: Final = 30.0


class Summarizing:
    """Has a chat model summarize what conversations leave out; no turn waits for it.

    1. One summary is written at a time, in a thread: what else there is waits for a later turn.
    2. What fails, or is no summary, is left for some turns, and given up after three times.
    3. The process may end meanwhile.

    Args:
        model: Who summarizes.
        cache: Where summaries are kept.
    """

    def __init__(self, model: BaseChatModel, cache: ContextCache) -> None:
        self._model = model
        self._cache = cache
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._attempts = Attempts()

    def start(self, messages: Sequence[BaseMessage], fitted: Fitted) -> bool:
        """Begin the summary that a turn leaves to be written; `False` if there is none.

        Args:
            messages: The whole conversation.
            fitted: What was made of it.
        """
        with self._lock:
            self._attempts.next_turn()
            if self._busy() or not self._attempts.due:  # 1, 2
                return False
            piece = self._next(messages, fitted.summarizable_chunks)
            if piece is None:
                return False
            # In an empty context: no callback of the turn hears of it.
            self._thread = threading.Thread(
                target=Context().run, args=(self._run, piece), name="lmswitch summary", daemon=True
            )
            self._thread.start()
            return True

    def finish(self, timeout_s: float = _WAIT_S) -> None:
        """Wait until what was begun is written."""
        if self._thread:
            self._thread.join(timeout_s)

    def _busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def _next(self, messages: Sequence[BaseMessage], chunks: int) -> Piece | None:
        transcript = self._cache.transcripts.of(messages)
        given_up = self._attempts.given_up
        units = transcript.parted.units
        return next_piece(transcript.chunks[:chunks], units, self._cache, given_up=given_up)

    def _run(self, piece: Piece) -> None:
        try:
            source = source_of(piece)
            answer = self._model.invoke([*fresh_request(piece, source)])
            text = summary_in(answer, piece, source)
        except (Exception, CancelledError) as error:  # noqa: BLE001 - 2, 3: it is nobody's loss
            log.debug("A summary was not written: %s", type(error).__name__)
            text = None
        if text is None:
            self._attempts.failed(piece.key)
            return
        self._cache.summaries.put(piece.key, text)
        self._attempts.written(piece.key)
