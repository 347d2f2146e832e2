"""A host, its switchboard, and calls on it, in virtual time."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.board import Held, Switchboard
from langchain_lmswitch.testing import ScriptedHost, card, run_virtually
from langchain_lmswitch.types.events import LoadStarted, Queued, SwitchEvent
from langchain_lmswitch.types.machine import Snapshot
from langchain_lmswitch.types.models import ModelCard

if TYPE_CHECKING:
    from langchain_lmswitch.switch.turns import Turn

MIB = 2**20
KV_MIB = 32
"""Of a scripted model with a context of 1,024 tokens."""


def model(key: str, mib: int = 500 - KV_MIB) -> ModelCard:
    return card(key, size_bytes=mib * MIB, max_context_tokens=1024)


_PASSABLE = ("waiting for an answer", "models in use go first")


class Passes:
    """Counts, by what is heard and leased, how often loads that wait for answers are passed.

    A lease is a pass if the load waits for that model just then: of one that was not in its way
    yet, nobody knows that it will be. What leaves without having been waited for is a mistake.
    """

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._turn: Turn | None = None
        self._passed_by: list[str] = []
        self.counts: list[int] = []
        """For each load that had to wait: leases on what it evicted, while it waited."""
        take, leases = board._leases.take, board._leases

        def noting(identifier: str, call: str, *, hold: bool = False) -> bool:
            fresh = not leases.holds(identifier, call)
            taken = take(identifier, call, hold=hold)
            if taken and fresh and self._turn and identifier in self._turn.claimed:
                self._passed_by.append(identifier)
            return taken

        leases.take = noting  # type: ignore[method-assign]  # it watches, and changes nothing

    def hear(self, event: SwitchEvent) -> None:
        turn = self._board._loads.turns._turn
        match event:
            case Queued(reason=reason) if turn and reason.endswith(_PASSABLE):
                if turn is not self._turn:
                    self._turn, self._passed_by = turn, []
            case LoadStarted(evicting=evicting) if turn and turn is self._turn:
                self._turn = None
                assert turn.claimed.issuperset(evicting)
                self.counts.append(sum(one in evicting for one in self._passed_by))


class Late(ScriptedHost):
    """A host whose memory comes back some time after an unload."""

    late_s = 2.0
    kept_bytes = 0

    async def unload(self, identifier: str) -> None:
        before_bytes = self.places.used_bytes
        await super().unload(identifier)
        left_bytes = before_bytes - self.places.used_bytes
        self._keep(left_bytes)
        asyncio.get_running_loop().call_later(self.late_s, self._keep, -left_bytes)

    def snapshot(self) -> Snapshot:
        now = super().snapshot()
        total_bytes = (now.ram_total_bytes or 0) + self.kept_bytes
        return replace(now, ram_total_bytes=total_bytes)

    def _keep(self, more_bytes: int) -> None:
        self.kept_bytes += more_bytes
        self.places.memory_bytes = (self.places.memory_bytes or 0) - more_bytes


class Desk:
    """A host, its board, and calls on it."""

    def __init__(self, host: ScriptedHost, *, monitor: Any = None, **options: Any) -> None:
        self.host = host
        loop = asyncio.get_running_loop()
        self.board = Switchboard(
            host,
            monitor or host,
            Settings(headroom_bytes=0, **{"parallel": 64, **options}),
            clock=loop.time,
            wall_clock=loop.time,
        )
        self.heard: dict[str, list[SwitchEvent]] = {}
        self.passes = Passes(self.board)

    async def acquire(self, key: str, call: str = "call", *, needed_tokens: int = 10) -> Held:
        self.heard.setdefault(call, [])
        return await self.board.acquire(
            self.host.disk[key],
            call=call,
            needed_tokens=needed_tokens,
            on_event=lambda event: self.hear(call, event),
        )

    def hear(self, call: str, event: SwitchEvent) -> None:
        self.heard[call].append(event)
        self.passes.hear(event)

    async def use(self, key: str, call: str, *, for_s: float = 1.0) -> Held:
        held = await self.acquire(key, call)
        await asyncio.sleep(for_s)
        self.board.release(call)
        return held

    async def resident(self) -> list[str]:
        return [one.key for one in await self.host.residents()]

    def changes(self) -> list[tuple[str, str]]:
        made = [call for call in self.host.calls if call.method in {"load", "unload"}]
        return [(call.method, call.model) for call in made]

    def leased(self) -> list[str]:
        return [key for key in self.host.disk if self.board.leased(f"lmswitch/{key}")]


def desk(*cards: ModelCard, memory_mib: int | None = 700, **options: Any) -> Desk:
    """Build a host with room for one model of 500 MiB, whose loads take five seconds."""
    memory_bytes = None if memory_mib is None else memory_mib * MIB
    host = ScriptedHost(cards, memory_bytes=memory_bytes, load_step_s=1.0, **options)
    return Desk(host)


def virtual(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    """Run a test in virtual time."""

    async def running() -> None:
        await test()

    def outside() -> None:
        run_virtually(running())

    outside.__name__, outside.__doc__ = getattr(test, "__name__", ""), test.__doc__
    return outside
