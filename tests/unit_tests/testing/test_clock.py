"""Virtual time: it passes at once, in order, and finds what would never end."""

import asyncio
import socket
import time

import pytest

from langchain_lmswitch.testing import run_virtually


def test_hours_pass_at_once() -> None:
    woken: list[tuple[str, float]] = []

    async def sleeper(name: str, for_s: float) -> None:
        await asyncio.sleep(for_s)
        woken.append((name, asyncio.get_running_loop().time()))

    async def both() -> None:
        await asyncio.gather(sleeper("late", 7200), sleeper("early", 0.5))

    started_s = time.monotonic()
    run_virtually(both())

    assert woken == [("early", 0.5), ("late", 7200)]
    assert time.monotonic() - started_s < 60


def test_a_deadlock_is_found() -> None:
    async def waits_for_nobody() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="Deadlock"):
        run_virtually(waits_for_nobody())


def test_an_endless_wait_is_found() -> None:
    async def waits_on() -> None:
        while True:  # noqa: ASYNC110 - just that is found
            await asyncio.sleep(1)

    with pytest.raises(RuntimeError, match="for ever"):
        run_virtually(waits_on(), most_s=1000)


def test_a_busy_loop_is_found() -> None:
    async def spins() -> None:
        while True:  # noqa: ASYNC110 - just that is found
            await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="nothing gets done"):
        run_virtually(spins())


def test_late_on_the_clock_short_waits_end() -> None:
    """After years of virtual time a nanosecond is less than the clock can show."""

    async def years() -> float:
        await asyncio.sleep(1e8)
        for _ in range(100):
            await asyncio.sleep(1e-9)
            await asyncio.sleep(1)
        return asyncio.get_running_loop().time()

    assert run_virtually(years(), most_s=1e9) >= 1e8


def test_what_is_there_to_be_read_is_read() -> None:
    async def hear() -> list[bytes]:
        ours, theirs = socket.socketpair()
        heard: list[bytes] = []
        asyncio.get_running_loop().add_reader(ours, lambda: heard.append(ours.recv(8)))
        theirs.send(b"Hello")
        await asyncio.sleep(0.001)
        asyncio.get_running_loop().remove_reader(ours)
        ours.close()
        theirs.close()
        return heard

    assert run_virtually(hear()) == [b"Hello"]
