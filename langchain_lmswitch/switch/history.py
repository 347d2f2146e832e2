"""What has happened on one switchboard lately, for who wants to see it."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from langchain_lmswitch.errors import LoadFailed
from langchain_lmswitch.switch.listeners import Listeners, OnNote
from langchain_lmswitch.switch.news import Tell
from langchain_lmswitch.switch.samples import moved, sample_of
from langchain_lmswitch.switch.spans import Spans
from langchain_lmswitch.types.decisions import Decision
from langchain_lmswitch.types.events import (
    Finished,
    Fragment,
    LoadProgress,
    LoadStarted,
    PredictEvent,
    Queued,
    SwitchEvent,
    ToolCallStarted,
)
from langchain_lmswitch.types.history import (
    AnswerSpan,
    Departure,
    LoadSpan,
    MemorySample,
    Note,
    Occupancy,
    Past,
    Share,
    WaitSpan,
)
from langchain_lmswitch.types.machine import Snapshot
from langchain_lmswitch.types.models import Resident
from langchain_lmswitch.types.plans import Load

MOST: Final = 2_000
"""Of each kind that are remembered."""


class History:
    """Remembers what happens, in memory and no more than `MOST` of each kind.

    Names of models and kinds of tasks only: no word of any request. Confined to the portal's loop.

    Args:
        host: Its address.
        budget_bytes: What models may hold together, if the user has set a limit.
        clock: Unix time in seconds.
    """

    def __init__(
        self,
        host: str,
        *,
        budget_bytes: int | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._host = host
        self._budget_bytes = budget_bytes
        self._clock = clock
        self._listeners = Listeners()
        self._samples: deque[MemorySample] = deque(maxlen=MOST)
        self._occupancies: deque[Occupancy] = deque(maxlen=MOST)
        self._departures: deque[Departure] = deque(maxlen=MOST)
        self._loads: Spans[LoadSpan] = Spans(most=MOST, clock=clock, tell=self._listeners.tell)
        self._waits: Spans[WaitSpan] = Spans(most=MOST, clock=clock, tell=self._listeners.tell)
        self._answers: Spans[AnswerSpan] = Spans(most=MOST, clock=clock, tell=self._listeners.tell)

    def past(self) -> Past:
        """Give all that is remembered, with what is not over."""
        return Past(
            host=self._host,
            now_s=self._clock(),
            samples=tuple(self._samples),
            occupancies=tuple(self._occupancies),
            departures=tuple(self._departures),
            loads=self._loads.all(),
            waits=self._waits.all(),
            answers=self._answers.all(),
        )

    def subscribe(self, listener: OnNote) -> Callable[[], None]:
        """Tell `listener` what happens from now on, until what this returns is called.

        It is told at once how things stand, and must return at once.
        """
        known: list[Note] = [*tuple(self._samples)[-1:], *tuple(self._occupancies)[-1:]]
        known += [*self._loads.under_way, *self._waits.under_way, *self._answers.under_way]
        return self._listeners.add(listener, known)

    def measured(self, snapshot: Snapshot) -> None:
        """Note what a measurement has shown, if it is news."""
        last = self._samples[-1] if self._samples else None
        sample = sample_of(snapshot, at_s=self._clock(), budget_bytes=self._budget_bytes)
        if last is None or moved(last, sample):
            self._samples.append(sample)
            self._listeners.tell(sample)

    def listed(self, residents: Sequence[Resident], share: Callable[[Resident], Share]) -> None:
        """Note who is in memory; who was and is no longer has left by itself, or for somebody."""
        there = {one.identifier for one in residents}
        for gone in [one for one in self._shares if one.identifier not in there]:
            self._leave(gone, asked=False)
        known = {one.identifier for one in self._shares}
        if new := [share(one) for one in residents if one.identifier not in known]:
            self._occupy((*self._shares, *new))

    def left(self, identifier: str, *, room_for: str = "") -> None:
        """Note that this process has unloaded a model."""
        for share in [one for one in self._shares if one.identifier == identifier]:
            self._leave(share, room_for=room_for)

    @contextmanager
    def loading(self, plan: Load, tell: Tell) -> Iterator[Tell]:
        """Note a load for as long as it takes, which tells its progress with what is given."""
        span = self._loads.begin(
            LoadSpan(
                key=plan.spec.key,
                started_s=self._clock(),
                expected_bytes=plan.footprint.total_bytes if plan.footprint else None,
                expected_vram_bytes=plan.footprint.vram_bytes if plan.footprint else 0,
                evicted=tuple(one.key for one in plan.evict),
            )
        )

        def heard(event: SwitchEvent) -> None:
            if isinstance(event, LoadProgress):
                self._listeners.tell(event)
            tell(event)

        try:
            yield heard
        except BaseException as failure:
            self._loads.end(replace(span, failed=_failure(failure)))
            raise
        self._loads.end(span)
        self._occupy((*self._shares, _share(plan)))

    @contextmanager
    def waiting(self, key: str, tell: Tell) -> Iterator[Tell]:
        """Note how long a request waits that tells what happens with what is given."""
        waits: list[WaitSpan] = []

        def heard(event: SwitchEvent) -> None:
            if isinstance(event, Queued):
                waits[:] = [self._wait(waits, key, event.reason)]
            elif isinstance(event, LoadStarted) and event.key == key:
                self._stop(waits)
            tell(event)

        try:
            yield heard
        finally:
            self._stop(waits)

    @contextmanager
    def answering(self, decision: Decision) -> Iterator[Callable[[PredictEvent], None]]:
        """Note an answer for as long as it takes; what is given is to be told what is heard."""
        span = self._answers.begin(
            AnswerSpan(
                key=decision.model,
                identifier=decision.identifier,
                task=decision.task,
                reason=decision.reason,
                node=decision.node,
                started_s=self._clock(),
            )
        )

        def heard(event: PredictEvent) -> None:
            nonlocal span
            if isinstance(event, Finished):
                span = replace(span, tokens=event.predicted_tokens)
            elif span.first_token_s is None and isinstance(event, Fragment | ToolCallStarted):
                span = self._answers.change(replace(span, first_token_s=self._clock()))

        try:
            yield heard
        except BaseException as failure:
            span = replace(span, failed=_failure(failure))
            raise
        finally:
            self._answers.end(span)

    @property
    def _shares(self) -> tuple[Share, ...]:
        return self._occupancies[-1].shares if self._occupancies else ()

    def _occupy(self, shares: Sequence[Share]) -> None:
        latest = {one.identifier: one for one in shares}
        occupancy = Occupancy(at_s=self._clock(), shares=tuple(latest.values()))
        self._occupancies.append(occupancy)
        self._listeners.tell(occupancy)

    def _leave(self, share: Share, *, room_for: str = "", asked: bool = True) -> None:
        departure = Departure(
            at_s=self._clock(),
            key=share.key,
            identifier=share.identifier,
            room_for=room_for,
            asked=asked,
        )
        self._departures.append(departure)
        self._listeners.tell(departure)
        self._occupy([one for one in self._shares if one.identifier != share.identifier])

    def _wait(self, waits: Sequence[WaitSpan], key: str, reason: str) -> WaitSpan:
        """Note that a request waits, or that it waits for something else by now."""
        if waits:
            return self._waits.change(replace(waits[0], reason=reason))
        return self._waits.begin(WaitSpan(key=key, reason=reason, started_s=self._clock()))

    def _stop(self, waits: list[WaitSpan]) -> None:
        while waits:
            self._waits.end(waits.pop())


def _share(plan: Load) -> Share:
    footprint = plan.footprint
    return Share(
        key=plan.spec.key,
        identifier=plan.spec.identifier or plan.spec.key,
        ram_bytes=footprint.ram_bytes if footprint else 0,
        vram_bytes=footprint.vram_bytes if footprint else 0,
    )


def _failure(failure: BaseException) -> str:
    """Say in a word or two what went wrong: the words of an error may quote the request."""
    match failure:
        case LoadFailed(for_memory=True):
            return "not enough memory"
        case Exception():
            return type(failure).__name__
        case _:
            return "given up"
