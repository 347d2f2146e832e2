"""A million events on a real switchboard, kind ones and mean ones, and not one that must not be.

The machine is simulated, time is virtual, and each round has its own stream, seed and weather:
estimates wrong by -30 to +100 %, memory that comes back late, loads that fail, models that vanish,
callers that leave, bystanders, clocks that jump. A round that fails says how to run it again.
Seconds are printed, never asserted.
"""

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import count, islice

import pytest
from unit_tests.switch.streams import STREAMS
from unit_tests.switch.traffic import Outcome, drive

pytestmark = pytest.mark.alone

EVENTS = 1_000_000
REQUESTS = 4000
"""In one round: some 15,000 events."""
_AT_ONCE = 20
"""Rounds that are handed out together; the last batch is finished, too."""
_SECONDS = ("load_s", "virtual_s")


def rounds() -> Iterator[tuple[str, int, int]]:
    """Give every stream its turn, each time with another seed."""
    return ((stream, seed, REQUESTS) for seed in count(1) for stream in STREAMS)


def play(one: tuple[str, int, int]) -> Outcome:
    """Play one round; whatever goes wrong, it is known where."""
    stream, seed, requests = one
    try:
        return drive(stream, seed, requests)
    except Exception as error:  # noqa: BLE001 - it is told with the round that it came from
        return Outcome(stream=stream, seed=seed, wrongs=(repr(error),))


def play_all() -> list[Outcome]:
    """Play rounds on all processors until there were enough events."""
    outcomes: list[Outcome] = []
    waiting = rounds()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), mp_context=context) as pool:
        while sum(outcome.events.total() for outcome in outcomes) < EVENTS:
            outcomes += pool.map(play, islice(waiting, _AT_ONCE))
            if any(map(faults, outcomes)):
                break
    return outcomes


def faults(outcome: Outcome) -> list[str]:
    """List what must not be, and how to see it again."""
    again = f"unit_tests.switch.traffic.drive({outcome.stream!r}, {outcome.seed}, {REQUESTS})"
    return [f"{wrong} in {again}" for wrong in outcome.wrongs]


def test_a_million_events(capsys: pytest.CaptureFixture[str]) -> None:
    """No model is taken from anybody, none is loaded twice, no budget overrun, nobody starves."""
    started_s = time.perf_counter()
    outcomes = play_all()
    took_s = time.perf_counter() - started_s
    with capsys.disabled():
        print(f"\n{report(outcomes, took_s)}")  # noqa: T201 - a benchmark is there to be read

    assert [fault for outcome in outcomes for fault in faults(outcome)] == []
    assert sum(outcome.events.total() for outcome in outcomes) >= EVENTS
    for stream in STREAMS:  # a round in which all is refused would prove nothing
        events = sum((one.events for one in outcomes if one.stream == stream), Counter[str]())
        assert events["answers ended"] > events["arrivals"] / 4
        assert min(events[one] for one in ("unloads", "cancellations", "clock jumps")) > 0


def report(outcomes: Sequence[Outcome], took_s: float) -> str:
    """Say what happened, how often, and how fast it was."""
    events = sum((one.events for one in outcomes), Counter[str]())
    refusals = sum((one.refusals for one in outcomes), Counter[str]())
    load_s, virtual_s = (sum(getattr(one, name) for one in outcomes) for name in _SECONDS)
    longest_s = max(one.longest_wait_s for one in outcomes)
    lines = (
        f"{events.total():,} events in {took_s:.0f} s, {events.total() / took_s:,.0f} per second;",
        f"{len(outcomes)} rounds on {os.cpu_count()} processors.",
        f"Events: {_listed(events)}.",
        f"Callers were told: {_listed(refusals)}.",
        f"{sum(one.loads for one in outcomes):,} loads took {load_s / 3600:,.0f} h",
        f"of {virtual_s / 3600:,.0f} h of virtual time;",
        f"worst skip {max(one.worst_skip for one in outcomes)}, longest wait {longest_s:,.0f} s.",
    )
    return "\n  ".join(lines)


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in counts.most_common())
