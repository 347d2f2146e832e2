"""Whoever else uses a simulated machine: their models, their programs, and their hands on ours."""

import math
import random
from collections import Counter
from typing import Final, Literal, assert_never, get_args

from langchain_lmswitch.testing.memory import THEIRS, TrueMemory
from langchain_lmswitch.types.models import Resident

Act = Literal["load", "unload", "take", "give", "lose"]
"""They load a model, or unload theirs; a program takes memory, or gives some back; they unload a
model of ours, or it crashes."""

ACTS: Final[tuple[Act, ...]] = get_args(Act)
_MOST_SHARE: Final = 0.15
"""Of all memory: what one model of theirs, or one program, takes at most."""
_MOST_TAKEN_SHARE: Final = 0.3
"""Of all memory: what all of them hold at most, so that something is left to work with."""


class Bystanders:
    """Does things at random times, whenever somebody looks and they are due.

    Nobody can tell that from doing them when they are due: there is no task, and no timer.

    Args:
        memory: Where they do it.
        dice: Decides when and what.
        every_s: Seconds from one act to the next, on average; `None` is never.
        acts: What they do, each as often as the others.
    """

    def __init__(
        self,
        memory: TrueMemory,
        dice: random.Random,
        *,
        every_s: float | None,
        acts: tuple[Act, ...] = ACTS,
    ) -> None:
        self._memory = memory
        self._dice = dice
        self._every_s = every_s
        self._acts = acts
        self._due_s: float | None = None
        self._number = 0
        self.done: Counter[Act] = Counter()
        """How often they did what; what was impossible is not counted."""

    def catch_up(self, now_s: float) -> None:
        """Do all that is due; the first look is when they come."""
        if self._due_s is None:
            self._due_s = now_s + self._pause_s()
        while self._due_s <= now_s:
            act = self._dice.choice(self._acts)
            self.done[act] += self._do(act)
            self._due_s += self._pause_s()

    def leave(self) -> None:
        """Take all of theirs along, and do nothing any more."""
        self._due_s = math.inf
        self._memory.programs_bytes = 0
        while self._drop_one(theirs=True):
            pass

    def _do(self, act: Act) -> bool:
        match act:
            case "load":
                return self._load()
            case "unload":
                return self._drop_one(theirs=True)
            case "take":
                return self._take()
            case "give":
                return self._give()
            case "lose":
                return self._drop_one(theirs=False)
            case _:
                assert_never(act)

    def _load(self) -> bool:
        if size_bytes := self._bite():
            self._number += 1
            name = f"{THEIRS}{self._number}"
            self._memory.enter(
                Resident(key=name, identifier=name, size_bytes=size_bytes), size_bytes
            )
        return bool(size_bytes)

    def _take(self) -> bool:
        size_bytes = self._bite()
        self._memory.programs_bytes += size_bytes
        return bool(size_bytes)

    def _give(self) -> bool:
        held_bytes = self._memory.programs_bytes
        self._memory.programs_bytes = int(held_bytes * self._dice.random())
        return bool(held_bytes)

    def _drop_one(self, *, theirs: bool) -> bool:
        found = [
            one.identifier
            for one in self._memory.residents()
            if one.identifier.startswith(THEIRS) == theirs
        ]
        if found:
            self._memory.drop(self._memory.find(self._dice.choice(found)))
        return bool(found)

    def _bite(self) -> int:
        total_bytes = self._memory.total_bytes
        allowed_bytes = int(total_bytes * _MOST_TAKEN_SHARE) - self._held_bytes()
        wanted_bytes = int(total_bytes * _MOST_SHARE * self._dice.random())
        return max(0, min(wanted_bytes, allowed_bytes, self._memory.left_bytes))

    def _held_bytes(self) -> int:
        theirs = [one for one in self._memory.residents() if one.identifier.startswith(THEIRS)]
        return self._memory.programs_bytes + sum(one.size_bytes for one in theirs)

    def _pause_s(self) -> float:
        return self._dice.expovariate(1.0 / self._every_s) if self._every_s else math.inf
