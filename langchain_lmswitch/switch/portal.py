"""One private event loop owns every host; every caller hops onto it.

Sync callers block on it and async callers await it, from any thread or loop, inside Jupyter
or after `asyncio.run` has ended. A stream is pumped by one task, because a cancel scope (anyio,
and so the LM Studio SDK) must be left by the task that entered it.

Work runs in an empty context: what a caller's framework keeps in context variables (LangGraph's
config, LangSmith's run tree) must not reach the router's own graph.
"""

import asyncio
import atexit
import os
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import aclosing, suppress
from contextvars import Context
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

T = TypeVar("T")
P = ParamSpec("P")

CANCEL_GRACE_S: Final = 0.3
"""How long a caller that leaves early waits for the work to stop on the server. Ctrl-C must
return within half a second, and a process that ends at once would never send the cancel."""

POLL_S: Final = 0.1
"""How often a caller that is blocked wakes up. Python runs a signal's handler between two of its
own instructions: one that comes just before a thread begins to wait would be noticed only when
something else wakes it, and Ctrl-C would seem dead during a long load."""

_CLOSE_GRACE_S: Final = 2.0


class _End:
    """The end of a stream, with the error that ended it."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Work(Future[T]):
    """A task on the portal's loop, seen from another thread.

    Unlike `asyncio.run_coroutine_threadsafe`, cancelling does not forget the task: `ended` is set
    once it has really stopped, with its cleanup done.
    """

    def __init__(self) -> None:
        super().__init__()
        self.ended: threading.Event = threading.Event()
        self.task: asyncio.Task[T] | None = None
        self.dropped = False

    def settle(self, task: asyncio.Task[T]) -> None:
        """Take over the outcome of the finished task."""
        self.ended.set()
        if self.cancelled() or not self.set_running_or_notify_cancel():
            if not task.cancelled():
                task.exception()
            return
        if task.cancelled():
            self.set_exception(asyncio.CancelledError())
        elif error := task.exception():
            self.set_exception(error)
        else:
            self.set_result(task.result())


class _Threads(ThreadPoolExecutor):
    """The threads for what may block, as long as there can be any.

    Once the interpreter shuts down no pool takes work any more, and that is before `close` runs.
    What is needed to leave a host in order is then done on the loop itself.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        try:
            return super().submit(fn, *args, **kwargs)
        except RuntimeError:
            return _done(partial(fn, *args, **kwargs))


def _done(work: Callable[[], T]) -> Future[T]:
    future: Future[T] = Future()
    try:
        future.set_result(work())
    except Exception as error:  # noqa: BLE001 - it is raised again where it is awaited
        future.set_exception(error)
    return future


class Portal:
    """A background event loop with one door for sync callers and one for async."""

    def __init__(self) -> None:
        self.pid: int = os.getpid()
        self.loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        self.loop.set_default_executor(_Threads(thread_name_prefix="lmswitch-portal"))
        self.closers: list[Callable[[], Coroutine[Any, Any, None]]] = []
        """Run on the loop when the process ends, each once."""
        self._thread = threading.Thread(
            target=self.loop.run_forever, name="lmswitch-portal", daemon=True
        )
        self._thread.start()

    @property
    def here(self) -> bool:
        """Whether the caller already runs on the portal's loop."""
        return threading.current_thread() is self._thread

    def submit(self, work: Coroutine[Any, Any, T], *, into: Work[T] | None = None) -> Work[T]:
        """Start `work` on the loop, in an empty context.

        Args:
            work: What to run.
            into: Its handle, made before: who is interrupted in here can then still abandon it.
        """
        future: Work[T] = Work() if into is None else into

        def start() -> None:
            if future.dropped:
                work.close()
                future.ended.set()
                return
            future.task = self.loop.create_task(work)
            future.task.add_done_callback(future.settle)

        self.loop.call_soon_threadsafe(start, context=Context())
        return future

    def drop(self, work: Work[Any], *, then: Callable[[], object] = lambda: None) -> None:
        """Cancel `work` without waiting; `then` is called on the loop once it has stopped."""
        work.dropped = True

        def cancel() -> None:
            if work.task is None or work.task.done():
                then()
                return
            work.task.add_done_callback(lambda _: then())
            work.task.cancel()

        with suppress(RuntimeError):  # the loop is closed: the process is ending
            self.loop.call_soon_threadsafe(cancel)

    def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end, blocking; an interrupt cancels it."""
        self._refuse_own_thread()
        future: Work[T] = Work()
        try:
            self.submit(work, into=future)
            while not future.done():
                wait({future}, timeout=POLL_S)
            return future.result()
        except BaseException:
            self._abandon(future)
            raise

    async def acall(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end, awaiting; cancelling the caller cancels it."""
        if self.here:
            return await work
        future = self.submit(work)
        try:
            return await asyncio.wrap_future(future)
        finally:
            await self._aabandon(future)

    def stream(self, source: AsyncGenerator[T, None]) -> Generator[T, None, None]:
        """Iterate `source`, blocking; leaving early cancels it."""
        self._refuse_own_thread()
        items: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
        pump: Work[None] = Work()
        try:
            self.submit(_pump(source, items.put), into=pump)
            while not isinstance(item := _taken(items), _End):
                yield item
            if item.error is not None:
                raise item.error
        finally:
            self._abandon(pump)

    async def astream(self, source: AsyncGenerator[T, None]) -> AsyncGenerator[T, None]:
        """Iterate `source`, awaiting; leaving early cancels it."""
        if self.here:
            async with aclosing(source):
                async for item in source:
                    yield item
            return
        items: asyncio.Queue[T | _End] = asyncio.Queue()
        home = asyncio.get_running_loop()

        def put(item: T | _End) -> None:
            _tell(home, partial(items.put_nowait, item))

        pump = self.submit(_pump(source, put))
        try:
            while not isinstance(one := await items.get(), _End):
                yield one
            if one.error is not None:
                raise one.error
        finally:
            await self._aabandon(pump)

    def close(self) -> None:
        """Stop everything, bounded; the portal cannot be used afterwards."""
        if self.pid != os.getpid() or self.loop.is_closed():
            return
        shut = self.submit(_shut_down(self.closers))
        shut.ended.wait(_CLOSE_GRACE_S)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(_CLOSE_GRACE_S)
        if not self._thread.is_alive():
            self.loop.close()

    def _abandon(self, work: Work[Any]) -> None:
        if not work.ended.is_set():
            self.drop(work)
            work.ended.wait(CANCEL_GRACE_S)

    async def _aabandon(self, work: Work[Any]) -> None:
        if work.ended.is_set():
            return
        home, stopped = asyncio.get_running_loop(), asyncio.Event()
        self.drop(work, then=partial(_tell, home, stopped.set))
        with suppress(TimeoutError):
            async with asyncio.timeout(CANCEL_GRACE_S):
                await stopped.wait()

    def _refuse_own_thread(self) -> None:
        if self.here:
            msg = "A blocking call on the portal's own thread would never return."
            raise RuntimeError(msg)


def _taken(items: queue.SimpleQueue[T]) -> T:
    while True:
        with suppress(queue.Empty):
            return items.get(timeout=POLL_S)


def _tell(loop: asyncio.AbstractEventLoop, news: Callable[[], object]) -> None:
    with suppress(RuntimeError):  # the caller's loop is closed: nobody listens
        loop.call_soon_threadsafe(news)


async def _pump(source: AsyncGenerator[T, None], put: Callable[[T | _End], None]) -> None:
    error: BaseException | None = None
    try:
        async for item in source:
            put(item)
    except asyncio.CancelledError as cancelled:
        error = cancelled
        raise
    except BaseException as failure:  # noqa: BLE001 - it is raised again in the caller
        error = failure
    finally:
        await source.aclose()
        put(_End(error))


async def _shut_down(closers: list[Callable[[], Coroutine[Any, Any, None]]]) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for close in closers:
        with suppress(Exception):
            await close()
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


_portal: Portal | None = None
_making = threading.Lock()


def portal() -> Portal:
    """The process's one portal, made at first use and anew after a fork."""
    global _portal  # noqa: PLW0603 - one per process is the point
    with _making:
        if _portal is None or _portal.pid != os.getpid():
            _portal = Portal()
            atexit.register(_portal.close)
        return _portal
