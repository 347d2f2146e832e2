"""One piece of work per key, however many want its result."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from langchain_lmswitch.switch.flights import Flights


class Runs:
    """Work that waits until it may end, and counts how often it was started."""

    def __init__(self) -> None:
        self.started = 0
        self.cancelled = 0
        self.may_end = asyncio.Event()
        self.may_stop = asyncio.Event()
        self.may_stop.set()
        self.tell: Callable[[Any], None] = lambda _: None

    async def work(self, tell: Callable[[Any], None]) -> int:
        self.started += 1
        self.tell = tell
        try:
            await self.may_end.wait()
        except asyncio.CancelledError:
            await self.may_stop.wait()
            self.cancelled += 1
            raise
        return self.started


class Team:
    """Callers of one key."""

    def __init__(self) -> None:
        self.flights: Flights[int] = Flights()
        self.runs = Runs()
        self.heard: list[list[Any]] = []

    def join(self, key: str = "a") -> asyncio.Task[int]:
        heard: list[Any] = []
        self.heard.append(heard)
        join = self.flights.join(key, self.runs.work, listener=heard.append)
        return asyncio.create_task(join)


async def turn() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_who_comes_later_joins() -> None:
    team = Team()
    callers = [team.join() for _ in range(3)]
    await turn()
    callers.append(team.join())
    await turn()
    team.runs.may_end.set()

    assert await asyncio.gather(*callers) == [1, 1, 1, 1]
    assert team.runs.started == 1


async def test_other_keys_run_by_themselves() -> None:
    team = Team()
    callers = [team.join("a"), team.join("b")]
    await turn()
    team.runs.may_end.set()
    await asyncio.gather(*callers)

    assert team.runs.started == 2


async def test_all_are_told_from_when_they_joined() -> None:
    team = Team()
    first = team.join()
    await turn()
    team.runs.tell("one")
    second = team.join()
    await turn()
    team.runs.tell("two")
    team.runs.may_end.set()
    await asyncio.gather(first, second)

    assert team.heard == [["one", "two"], ["two"]]


async def test_who_is_cancelled_leaves_alone() -> None:
    team = Team()
    first, second = team.join(), team.join()
    await turn()
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    team.runs.tell("later")
    team.runs.may_end.set()

    assert await second == 1
    assert team.runs.cancelled == 0
    assert team.heard == [[], ["later"]]


async def test_last_to_leave_cancels_the_work_and_waits_for_it() -> None:
    team = Team()
    callers = [team.join(), team.join()]
    await turn()
    for caller in callers:
        caller.cancel()
    await asyncio.gather(*callers, return_exceptions=True)

    assert team.runs.cancelled == 1


async def test_errors_reach_all() -> None:
    flights: Flights[int] = Flights()
    begun = 0

    async def fail(_: Any) -> int:
        nonlocal begun
        begun += 1
        await asyncio.sleep(0)
        raise ValueError("no")

    async def join() -> int:
        return await flights.join("a", fail, listener=lambda _: None)

    results = await asyncio.gather(join(), join(), return_exceptions=True)

    assert [str(one) for one in results] == ["no", "no"]
    assert begun == 1


@pytest.mark.parametrize("fails", [False, True])
async def test_next_caller_starts_anew(fails: bool) -> None:  # noqa: FBT001
    """Neither a result nor a failure is kept."""
    flights: Flights[int] = Flights()
    begun = 0

    async def work(_: Any) -> int:
        nonlocal begun
        begun += 1
        if fails and begun == 1:
            raise ValueError("no")
        return begun

    async def join() -> int:
        return await flights.join("a", work, listener=lambda _: None)

    [first] = await asyncio.gather(join(), return_exceptions=True)

    assert isinstance(first, ValueError) is fails
    assert await join() == 2


async def test_who_comes_while_work_is_stopping_starts_it_anew() -> None:
    """An abandoned piece of work is nobody's: its cancellation is not theirs."""
    team = Team()
    team.runs.may_stop.clear()
    leaving = team.join()
    await turn()
    leaving.cancel()
    await turn()
    late = [team.join(), team.join()]
    await turn()
    assert (team.runs.started, team.runs.cancelled) == (1, 0)

    team.runs.may_stop.set()
    await asyncio.wait({leaving})
    await turn()
    team.runs.may_end.set()

    assert await asyncio.gather(*late) == [2, 2]
    assert team.runs.cancelled == 1
