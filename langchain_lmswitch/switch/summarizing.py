"""Writing the summary of a conversation, for as long as nobody wants anything else."""

import asyncio
import logging
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from contextvars import Context
from dataclasses import dataclass
from typing import Final

from langchain_core.language_models import BaseChatModel

from langchain_lmswitch.context.cache import ContextCache
from langchain_lmswitch.context.pauses import Attempts
from langchain_lmswitch.context.tree import Piece
from langchain_lmswitch.policy.summarizers import OFF, summarizer
from langchain_lmswitch.switch.summarizers import Answered, by_chat_model, by_resident
from langchain_lmswitch.switch.surveyor import LATELY_S, Surveyor
from langchain_lmswitch.types.models import Resident

log: logging.Logger = logging.getLogger(__name__)

QUIET_S: Final = 1.0
"""How long nobody must have asked for anything: an agent comes back with what its tool says."""
DEADLINE_S: Final = 60.0

Summarizer = str | BaseChatModel
"""`auto`, `off`, the key of a model that is used if it is in memory, or a chat model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A summary to be written, and where it is kept."""

    piece: Piece
    cache: ContextCache
    by: Summarizer
    answered: Answered | None = None
    """The turn that has just ended."""


class Summarizing:
    """Writes one summary at a time; confined to the portal's loop.

    1. It begins only after a moment in which no request of this process uses or waits for
       anything, and with at most one call for each turn that has ended.
    2. It asks a model that is in memory and idle, or the chat model it is given. It leases
       nothing, loads nothing and makes nobody leave.
    3. Any request ends it at once.
    4. What comes to nothing is tried again later, after a pause that grows, and three times at
       most. It is nobody's affair: without a summary there is still recall.

    Args:
        surveyor: Knows who is in memory.
        is_idle: Tells whether no request uses or waits for anything.
        leased: Tells whether a request, in any process of ours, is using an instance.
    """

    def __init__(
        self,
        surveyor: Surveyor,
        *,
        is_idle: Callable[[], bool],
        leased: Callable[[str], bool],
    ) -> None:
        self._surveyor = surveyor
        self._is_idle = is_idle
        self._leased = leased
        self._task: asyncio.Task[None] | None = None
        self._attempts = Attempts()

    @property
    def given_up(self) -> AbstractSet[bytes]:
        """Keys of what nobody could summarize; see `context.tree.wanted`."""
        return self._attempts.given_up

    @property
    def busy(self) -> bool:
        """Whether a summary is being written, or about to be."""
        return self._task is not None and not self._task.done()

    def start(self, job: Job | None) -> bool:
        """Note that a turn has ended, and begin the summary it leaves to be written, if any.

        `False` if there is nothing to do, other work, or a pause after what came to nothing.
        """
        self._attempts.next_turn()
        if job is None or job.by == OFF or (job.answered and not job.answered.over):
            return False
        if self.busy or not self._is_idle() or not self._attempts.due:  # 1, 4
            return False
        # In an empty context: the callbacks of the request that has ended must not hear of it.
        self._task = asyncio.get_running_loop().create_task(
            self._run(job), name="lmswitch summary", context=Context()
        )
        return True

    def give_way(self) -> None:
        """End it for a request."""
        if self._task and not self._task.done():  # 3
            self._task.cancel()

    async def finish(self) -> None:
        """End it, and wait until nothing of it is left."""
        self.give_way()
        if self._task:
            await asyncio.wait({self._task})

    async def _run(self, job: Job) -> None:
        await asyncio.sleep(QUIET_S)
        if not self._is_idle():  # 1
            return
        try:
            async with asyncio.timeout(DEADLINE_S):
                asked, text = await self._written(job)
        except asyncio.CancelledError:
            self._attempts.interrupted()  # 3: it was begun, and cost something
            raise
        except Exception as error:  # noqa: BLE001 - 4: no summary of ours may cost an answer
            log.debug("A summary was not written: %s", type(error).__name__)
            asked, text = True, None
        if asked:
            self._note(job, text)

    async def _written(self, job: Job) -> tuple[bool, str | None]:
        if isinstance(job.by, BaseChatModel):
            return True, await by_chat_model(job.by, job.piece)
        resident = await self._resident(job.by, job.answered)  # 2
        if resident is None:
            return False, None
        host = self._surveyor.host
        return True, await by_resident(host, resident, job.piece, job.answered)

    async def _resident(self, wish: str, answered: Answered | None) -> Resident | None:
        survey = await self._surveyor.survey(max_age_s=LATELY_S)
        cards = await self._surveyor.cards()
        last = answered.resident.identifier if answered else ""
        found = summarizer(wish, survey.occupants, cards, answered=last)
        if found is None or self._leased(found.identifier):
            return None
        state = await self._surveyor.host.state(found.identifier)
        return found if state is None or state.idle else None

    def _note(self, job: Job, text: str | None) -> None:
        if text is None:
            self._attempts.failed(job.piece.key)
            return
        job.cache.summaries.put(job.piece.key, text)
        self._attempts.written(job.piece.key)
