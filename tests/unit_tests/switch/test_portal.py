"""One loop for every caller: from threads and loops, left early, interrupted, closed."""

import _thread
import asyncio
import gc
import signal
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import AsyncGenerator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, contextmanager, suppress
from contextvars import ContextVar

import pytest

from langchain_lmswitch.switch.portal import Portal, portal

FOREVER_S = 3600
SAID: ContextVar[str] = ContextVar("SAID", default="nothing")


class Work:
    """Work that can be watched: whether it began, and how it ended."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.ended: list[str] = []

    async def forever(self) -> None:
        self.begun.set()
        try:
            await asyncio.sleep(FOREVER_S)
        except asyncio.CancelledError:
            await asyncio.sleep(0.01)  # a cancel has to travel to the server
            self.ended.append("cancelled")
            raise

    async def numbers(self, most: int = 1_000_000) -> AsyncGenerator[int, None]:
        self.begun.set()
        try:
            for number in range(most):
                yield number
                await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0.01)
            self.ended.append("cleaned up")

    async def one_then_silence(self) -> AsyncGenerator[int, None]:
        try:
            yield 1
            self.begun.set()
            await asyncio.sleep(FOREVER_S)
        finally:
            await asyncio.sleep(0.01)
            self.ended.append("cleaned up")


async def add(one: int, other: int) -> int:
    await asyncio.sleep(0)
    return one + other


async def fail(error: BaseException) -> None:
    await asyncio.sleep(0)
    raise error


async def failing_numbers() -> AsyncGenerator[int, None]:
    yield 1
    raise ValueError("two")


# --- who may call -----------------------------------------------------------------------------


def test_call_from_a_plain_thread() -> None:
    assert portal().call(add(1, 2)) == 3


def test_calls_from_many_threads() -> None:
    with ThreadPoolExecutor(8) as pool:
        sums = pool.map(lambda n: portal().call(add(n, n)), range(50))

    assert list(sums) == [n + n for n in range(50)]


async def test_blocking_call_inside_a_running_loop() -> None:
    """As in a notebook's cell."""
    assert portal().call(add(1, 2)) == 3
    assert list(portal().stream(Work().numbers(3))) == [0, 1, 2]


def test_after_one_event_loop_and_another() -> None:
    async def twice() -> list[int]:
        first = await portal().acall(add(1, 2))
        return [first, *[n async for n in portal().astream(Work().numbers(2))]]

    assert asyncio.run(twice()) == asyncio.run(twice()) == [3, 0, 1]


def test_from_the_portals_own_loop() -> None:
    """A coroutine there may await it; blocking would never return, and is refused."""

    async def inside() -> list[int]:
        first = await portal().acall(add(1, 2))
        return [first, *[n async for n in portal().astream(Work().numbers(2))]]

    async def blocking() -> None:
        work = add(1, 2)
        with closing(work):
            portal().call(work)

    assert portal().call(inside()) == [3, 0, 1]
    with pytest.raises(RuntimeError, match="would never return"):
        portal().call(blocking())


# --- what crosses -----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError("bad"), KeyError("key"), TimeoutError()])
async def test_errors_cross(error: Exception) -> None:
    """The very exception, for both doors."""
    with pytest.raises(type(error)) as caught:
        portal().call(fail(error))
    assert caught.value is error
    with pytest.raises(type(error)):
        await portal().acall(fail(error))


async def test_errors_of_a_stream_come_after_its_items() -> None:
    told: list[int] = []
    with pytest.raises(ValueError, match="two"):
        told.extend(portal().stream(failing_numbers()))
    numbers = portal().astream(failing_numbers())
    told.append(await anext(numbers))
    with pytest.raises(ValueError, match="two"):
        await anext(numbers)

    assert told == [1, 1]


async def test_context_of_the_caller_stays_outside() -> None:
    """What a framework keeps in context variables must not reach the router's own graph."""

    async def look() -> str:
        return SAID.get()

    async def looks() -> AsyncGenerator[str, None]:
        yield SAID.get()

    SAID.set("something")

    assert portal().call(look()) == "nothing"
    assert await portal().acall(look()) == "nothing"
    assert list(portal().stream(looks())) == ["nothing"]
    assert [said async for said in portal().astream(looks())] == ["nothing"]
    assert SAID.get() == "something"


# --- leaving early ----------------------------------------------------------------------------


def test_stream_left_early_is_cleaned_up_before_it_returns() -> None:
    work = Work()
    with closing(portal().stream(work.numbers())) as numbers:
        assert next(numbers) == 0

    assert work.ended == ["cleaned up"]


async def test_astream_left_early_is_cleaned_up_before_it_returns() -> None:
    work = Work()
    async with aclosing(portal().astream(work.numbers())) as numbers:
        assert await anext(numbers) == 0

    assert work.ended == ["cleaned up"]


def test_astream_left_early_on_the_portals_loop() -> None:
    work = Work()

    async def leave() -> list[str]:
        async with aclosing(portal().astream(work.numbers())) as numbers:
            await anext(numbers)
        return list(work.ended)

    assert portal().call(leave()) == ["cleaned up"]


async def test_stream_that_ends_by_itself_is_cleaned_up_once() -> None:
    work = Work()
    assert list(portal().stream(work.numbers(2))) == [0, 1]
    assert [n async for n in portal().astream(work.numbers(2))] == [0, 1]

    assert work.ended == ["cleaned up"] * 2


async def test_cancelled_call_cancels_the_work() -> None:
    work = Work()
    calling = asyncio.create_task(portal().acall(work.forever()))
    await asyncio.to_thread(work.begun.wait)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling

    assert work.ended == ["cancelled"]


async def test_cancelled_stream_cancels_the_work() -> None:
    work = Work()

    async def consume() -> None:
        async with aclosing(portal().astream(work.one_then_silence())) as numbers:
            async for _ in numbers:
                pass

    consuming = asyncio.create_task(consume())
    await asyncio.to_thread(work.begun.wait)
    consuming.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consuming

    assert work.ended == ["cleaned up"]


async def test_work_cancelled_before_it_began_never_begins() -> None:
    work = Work()
    held = threading.Event()
    portal().loop.call_soon_threadsafe(held.wait)  # the loop is busy
    calling = asyncio.create_task(portal().acall(work.forever()))
    await asyncio.sleep(0)
    calling.cancel()
    await asyncio.sleep(0)
    held.set()
    with pytest.raises(asyncio.CancelledError):
        await calling
    portal().call(add(0, 0))

    assert not work.begun.is_set()


async def test_work_that_will_not_stop_holds_nobody_up() -> None:
    """Whoever leaves waits for a moment only; the work may finish in its own time."""
    may_end, begun = asyncio.Event(), threading.Event()

    async def stubborn() -> str:
        begun.set()
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(FOREVER_S)
        await may_end.wait()
        return "done"

    calling = asyncio.create_task(portal().acall(stubborn()))
    await asyncio.to_thread(begun.wait)
    calling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await calling
    portal().loop.call_soon_threadsafe(may_end.set)


# --- Ctrl-C -----------------------------------------------------------------------------------


@contextmanager
def interrupt_once(begun: Callable[[], object]) -> Iterator[None]:
    """Raise SIGINT in the main thread as soon as `begun` returns."""
    if threading.current_thread() is not threading.main_thread():  # pragma: no cover
        pytest.skip("signals arrive in the main thread")

    def press() -> None:
        begun()
        time.sleep(0.05)  # until the main thread blocks
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    pressing = threading.Thread(target=press)
    pressing.start()
    try:
        yield
    finally:
        pressing.join()
        signal.signal(signal.SIGINT, before)


def test_interrupted_call_cancels_the_work() -> None:
    work = Work()
    with pytest.raises(KeyboardInterrupt), interrupt_once(work.begun.wait):
        portal().call(work.forever())

    assert work.ended == ["cancelled"]


def test_interrupted_stream_cancels_the_work() -> None:
    work = Work()
    told: list[int] = []
    with pytest.raises(KeyboardInterrupt), interrupt_once(work.begun.wait):
        told.extend(portal().stream(work.one_then_silence()))

    assert work.ended == ["cleaned up"]


# --- the end ----------------------------------------------------------------------------------


def test_close_stops_what_runs_and_calls_the_closers() -> None:
    one, work, closed = Portal(), Work(), []

    async def closer() -> None:
        closed.append("closed")

    async def bad_closer() -> None:
        raise ValueError("bad")

    one.closers += [bad_closer, closer]
    one.submit(work.forever())
    work.begun.wait()
    one.close()
    one.close()

    assert closed == ["closed"]
    assert work.ended == ["cancelled"]
    assert one.loop.is_closed()


def test_close_leaves_nothing_open() -> None:
    """Neither a loop nor a socket nor a coroutine that was never awaited."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        one = Portal()
        stream = one.stream(Work().one_then_silence())
        assert next(stream) == 1
        one.close()
        stream.close()
        del one, stream
        gc.collect()

    assert [str(one.message) for one in told] == []


def test_one_portal_per_process() -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: portal(), range(20)))

    assert found == {portal()}


class Late:
    """Work that ends long after an interrupt, unless that is noticed."""

    def __init__(self) -> None:
        self.ended = False

    async def work(self) -> None:
        await asyncio.sleep(5)
        self.ended = True

    async def one(self) -> AsyncGenerator[None, None]:
        await self.work()
        yield


@pytest.mark.parametrize(
    "ask",
    [lambda late: portal().call(late.work()), lambda late: next(portal().stream(late.one()))],
    ids=["call", "stream"],
)
def test_interrupt_that_nothing_wakes_up_for_is_noticed(ask: Callable[[Late], None]) -> None:
    """As one that comes just before the wait begins: its handler is due, and the lock sleeps on."""
    late = Late()
    threading.Timer(0.2, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        ask(late)

    assert not late.ended


def test_what_blocks_is_still_done_when_the_process_ends() -> None:
    """No pool of threads takes work then, and a host is left in order all the same."""
    code = """
import asyncio
from concurrent.futures import thread
from langchain_lmswitch.switch.portal import portal

async def close():
    assert thread._shutdown
    print("closed", await asyncio.to_thread(sum, [1, 2]))
    try:
        await asyncio.to_thread(int, "none")
    except ValueError:
        print("and failed")

async def begin():
    return await asyncio.to_thread(sum, [1])

portal().closers.append(close)
print(portal().call(begin()))
"""
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout, done.stderr) == ("1\nclosed 3\nand failed\n", "")
