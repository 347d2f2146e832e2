"""Embedding what was said, for recall: a little at once, the rest beside the requests."""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from contextvars import Context
from typing import Final

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.vectors import keep
from langchain_lmswitch.embedded.encoder import SentenceEncoder, sentence_encoder
from langchain_lmswitch.policy.embedders import AUTO, OFF, embedder, instance_of
from langchain_lmswitch.switch.backlog import Backlog, Wanted
from langchain_lmswitch.switch.surveyor import LATELY_S, Surveyor
from langchain_lmswitch.types.models import Resident

log: logging.Logger = logging.getLogger(__name__)

Vector = Sequence[float]

FOREGROUND_S: Final = 0.3
"""Longest that an answer waits for vectors."""
REST_S: Final = 30.0
"""How long nobody is asked after a failure."""
DEADLINE_S: Final = 20.0
"""Longest for one batch; loading the encoder is part of the first."""
BUSY_S: Final = 0.5
"""How long until it is looked again whether a model is idle."""
_PATIENCE_S: Final = 60.0
"""How long a model may be busy until what was asked of it is dropped."""


class Embedders:
    """Embeds texts for recall; confined to the portal's loop.

    1. A model in memory is asked that is idle, else the encoder of the `embedded` extra in this
       process. Nothing is leased or loaded for it, and nobody leaves.
    2. An answer waits only for what is expected to be done in time. All else goes on beside the
       requests, in batches, at half of the pace while there is one; the next turn finds it.
    3. What goes wrong costs no answer: there is recall by words. Nobody is asked for a while then.

    Args:
        surveyor: Knows who is in memory.
        is_idle: Tells whether no request uses or waits for anything.
        encoder: Gives the encoder of the extra, if it is installed.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        surveyor: Surveyor,
        *,
        is_idle: Callable[[], bool],
        encoder: Callable[[], SentenceEncoder | None] = sentence_encoder,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._surveyor = surveyor
        self._is_idle = is_idle
        self._find_encoder = encoder
        self._clock = clock
        self._kept = ""
        self._backlog = Backlog()
        self._rest_until_s = float("-inf")
        self._waiting = 0
        self._work: asyncio.Task[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether anything is being embedded, or about to be."""
        return self._work is not None and not self._work.done()

    async def name(self, wish: str = AUTO) -> str:
        """Say whose vectors are to be had; empty if nobody's.

        Args:
            wish: `auto`, `off`, or the key of an embedding model, which is not loaded.
        """
        if wish == OFF:
            return ""
        try:
            survey = await self._surveyor.survey(max_age_s=LATELY_S)
        except Exception as error:  # noqa: BLE001 - 3
            log.debug("Who embeds cannot be told: %s", type(error).__name__)
            return ""
        encoder = self._find_encoder()
        key = encoder.key if encoder else ""
        found = embedder(wish, survey.occupants, kept=self._kept, encoder=key)
        if wish == AUTO:
            self._kept = found
        return found

    async def embed(
        self, name: str, texts: Sequence[str], cache: ContextCache
    ) -> list[Vector] | None:
        """Embed texts with the model `name`, in their order.

        Returns:
            `None` if that takes too long, or fails. It then goes on, and keeps what it makes.
        """
        if not name or self._clock() < self._rest_until_s:  # 3
            return None
        hurry = self._ready(name) and self._backlog.expected_s(name, texts) <= FOREGROUND_S  # 2
        wanted = self._backlog.add(name, texts, cache, first=hurry)
        self._start()
        if not hurry or wanted is None:
            return None
        self._waiting += 1
        try:
            async with asyncio.timeout(FOREGROUND_S):
                vectors = await asyncio.gather(*map(asyncio.shield, wanted))
        except TimeoutError:
            return None
        finally:
            self._waiting -= 1
        found = [one for one in vectors if one is not None]
        return found if len(found) == len(texts) else None

    async def finish(self) -> None:
        """End it, and wait until nothing of it is left."""
        if self._work:
            self._work.cancel()
            await asyncio.wait({self._work})
        self._backlog.drop()

    def _ready(self, name: str) -> bool:
        """Tell whether a model can begin at once."""
        encoder = self._find_encoder()
        return not (encoder and encoder.key == name) or encoder.loaded

    def _start(self) -> None:
        if not self.busy and self._backlog:
            # In an empty context: the callbacks of a request must not hear of it.
            self._work = asyncio.get_running_loop().create_task(
                self._run(), name="lmswitch vectors", context=Context()
            )

    async def _run(self) -> None:
        try:
            while batch := self._backlog.next():
                await self._embed(batch)
        except Exception as error:  # noqa: BLE001 - 3
            log.debug("Nothing more is embedded for now: %s", type(error).__name__)
            self._rest_until_s = self._clock() + REST_S
            self._backlog.drop()

    async def _embed(self, batch: Sequence[Wanted]) -> None:
        name, texts = batch[0].name, [one.text for one in batch]
        resident = await self._asked(name)
        async with asyncio.timeout(DEADLINE_S):
            if resident is None:
                await asyncio.to_thread(self._encoder().load)
            begun_s = self._clock()
            vectors = await self._vectors(resident, texts)
        took_s = self._clock() - begun_s
        keep(texts, vectors, name, batch[0].cache)
        self._backlog.done(batch, vectors, took_s=took_s)
        if not self._waiting and not self._is_idle():  # 2
            await asyncio.sleep(took_s)

    async def _vectors(self, resident: Resident | None, texts: list[str]) -> Sequence[Vector]:
        if resident is not None:
            return await self._surveyor.host.embed(resident.identifier, texts)
        return await asyncio.to_thread(self._encoder().vectors, texts)

    def _encoder(self) -> SentenceEncoder:
        encoder = self._find_encoder()
        if encoder is None:
            msg = "The encoder is gone."
            raise LookupError(msg)
        return encoder

    async def _asked(self, name: str) -> Resident | None:
        """Give the instance to ask; `None` is the encoder.

        Raises:
            TimeoutError: It is busy for too long.
            LookupError: It is not there any more.
        """
        async with asyncio.timeout(_PATIENCE_S):
            while True:
                survey = await self._surveyor.survey(max_age_s=LATELY_S)
                found = instance_of(name, survey.occupants)
                if found and await self._is_free(found):
                    return found
                encoder = self._find_encoder()
                if encoder and encoder.key == name:
                    return None
                if all(one.resident.key != name for one in survey.occupants):
                    msg = "The embedding model is gone."
                    raise LookupError(msg)
                await asyncio.sleep(BUSY_S)

    async def _is_free(self, resident: Resident) -> bool:
        state = await self._surveyor.host.state(resident.identifier)
        return state is None or state.idle
