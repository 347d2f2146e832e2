"""Asking a resident model what a request wants, where the rules are unsure."""

import asyncio
import logging
import time
from collections.abc import Callable
from contextlib import aclosing
from typing import Final
from weakref import WeakKeyDictionary

from langchain_lmswitch.errors import LMSwitchError
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.policy.exemplars import EXEMPLARS
from langchain_lmswitch.policy.refining import (
    DEADLINE_S,
    Kinds,
    Refiner,
    center,
    excerpt,
    mixed,
    named,
    nearest,
    question,
    whom,
)
from langchain_lmswitch.switch.board import Switchboard
from langchain_lmswitch.switch.surveyor import LATELY_S
from langchain_lmswitch.types.events import Fragment
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.tasks import Request, Task, TaskKind

log: logging.Logger = logging.getLogger(__name__)

REST_S: Final = 30.0
"""How long nobody is asked after a question that was not answered in time."""
_LEARN_S: Final = 60.0

Centers = dict[TaskKind, list[float]]


async def refined(board: Switchboard, task: Task, request: Request) -> Task:
    """Ask a resident model about a request, and add its word to the task.

    On the portal's loop only. The task stays as it is, unless all of this holds:

    1. The settings want it, and nobody has failed to answer a moment ago.
    2. A model of that kind is in memory and idle. It is not leased: whoever needs its room does
       not wait for us.
    3. It answers before the deadline.
    """
    refiner = board.settings.refine
    asking = askings.setdefault(board, Asking())
    if refiner == "off" or asking.resting:  # 1
        return task
    deadline_s = board.settings.refine_timeout_s or DEADLINE_S[refiner]
    try:
        async with asyncio.timeout(deadline_s):  # 3
            resident = await _idle(board, refiner)  # 2
            told = resident and await asking.ask(board.host, resident, refiner, excerpt(request))
    except Exception as error:  # noqa: BLE001 - no question of ours may cost an answer
        log.debug("The rules alone tell the task: %s", type(error).__name__)
        asking.rest()
        return task
    return mixed(task, told, by=resident.key) if resident and told else task


async def _idle(board: Switchboard, refiner: Refiner) -> Resident | None:
    survey, cards = await asyncio.gather(
        board.surveyor.survey(max_age_s=LATELY_S), board.surveyor.cards()
    )
    resident = whom(refiner, survey.occupants, cards)
    if resident is None or board.leased(resident.identifier):
        return None
    state = await board.host.state(resident.identifier)
    return resident if state is None or state.idle else None


class Asking:
    """Asks the models of one host, and keeps what they make of the exemplars.

    Args:
        clock: Monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._rest_until_s = float("-inf")
        self._centers: dict[str, Centers] = {}
        self._learning: dict[str, asyncio.Task[None]] = {}

    @property
    def resting(self) -> bool:
        """Whether nobody should be asked now."""
        return self._clock() < self._rest_until_s

    def rest(self) -> None:
        """Ask nobody for a while: each question that is not answered costs its deadline."""
        self._rest_until_s = self._clock() + REST_S

    async def ask(
        self, host: Host, resident: Resident, refiner: Refiner, text: str
    ) -> Kinds | None:
        """Ask a resident model; `None` if it cannot tell, or not yet."""
        if refiner == "chat":
            return named(await _answer(host, resident, text))
        if resident.key not in self._centers:
            self._learn(host, resident)
            return None
        [vector] = await host.embed(resident.identifier, [text])
        return nearest(vector, self._centers[resident.key])

    def _learn(self, host: Host, resident: Resident) -> None:
        """Embed the exemplars once, beside the requests: it takes longer than one may wait."""
        if resident.key not in self._learning:
            work = asyncio.create_task(self._embed_exemplars(host, resident))
            self._learning[resident.key] = work

    async def _embed_exemplars(self, host: Host, resident: Resident) -> None:
        try:
            async with asyncio.timeout(_LEARN_S):
                self._centers[resident.key] = await _centers(host, resident)
        except (LMSwitchError, TimeoutError) as error:
            log.debug("The exemplars could not be embedded: %s", type(error).__name__)
            self.rest()
        finally:
            del self._learning[resident.key]


async def _centers(host: Host, resident: Resident) -> Centers:
    found: Centers = {}
    for kind, texts in EXEMPLARS.items():  # by turns with the requests of others
        found[kind] = center(await host.embed(resident.identifier, texts))
    return found


async def _answer(host: Host, resident: Resident, text: str) -> str:
    said = ""
    async with aclosing(host.predict(resident.identifier, question(text))) as events:
        async for event in events:
            if isinstance(event, Fragment):
                said += event.text
    return said


askings: WeakKeyDictionary[Switchboard, Asking] = WeakKeyDictionary()
