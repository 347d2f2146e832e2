"""Texts that wait to be embedded, each once."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from langchain_lmswitch.context.cache import ContextCache

Vector = Sequence[float]

MOST_WAITING: Final = 20_000
MOST_TEXTS: Final = 16
MOST_CHARS: Final = 8_000
"""Of one batch: about 0.15 s of work, for that is how long someone in a hurry waits for it."""
_GUESSED_S: Final = 20e-6
"""For a character, until it is measured; the encoder takes about 18 millionths."""
_NEWEST: Final = 0.3
"""What the last batch counts beside those before."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A text that somebody wants the vector of."""

    name: str
    """Who embeds it."""
    text: str
    cache: ContextCache
    """Where the vector is kept."""
    told: asyncio.Future[Vector | None] = field(compare=False)
    """`None` if it was given up."""


class Backlog:
    """What is to be embedded, in the order in which it is done; confined to the portal's loop."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[tuple[str, str], Wanted] = OrderedDict()
        self._pace_s: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def expected_s(self, name: str, texts: Sequence[str]) -> float:
        """Guess how long it takes a model to embed texts, by how long it took it before."""
        return sum(map(len, texts)) * self._pace_s.get(name, _GUESSED_S)

    def add(
        self, name: str, texts: Sequence[str], cache: ContextCache, *, first: bool
    ) -> list[asyncio.Future[Vector | None]] | None:
        """Put texts into the line, or at its head.

        Returns:
            What will tell of each; `None` if there is no room for all of them.
        """
        loop = asyncio.get_running_loop()
        for text in texts:
            key = (name, text)
            if key not in self._waiting:
                if len(self._waiting) >= MOST_WAITING:
                    return None
                self._waiting[key] = Wanted(name, text, cache, loop.create_future())
        if first:
            for text in reversed(texts):
                self._waiting.move_to_end((name, text), last=False)
        return [self._waiting[name, text].told for text in texts]

    def next(self) -> list[Wanted]:
        """Give the next batch: texts for one model and one cache. They stay until they are done."""
        batch: list[Wanted] = []
        chars = 0
        for one in islice(self._waiting.values(), MOST_TEXTS):
            chars += len(one.text)
            alike = not batch or (one.name == batch[0].name and one.cache is batch[0].cache)
            if batch and (chars > MOST_CHARS or not alike):
                break
            batch.append(one)
        return batch

    def done(self, batch: Sequence[Wanted], vectors: Sequence[Vector], *, took_s: float) -> None:
        """Hand out the vectors of a batch, and note how long it took."""
        for one, vector in zip(batch, vectors, strict=True):
            self._waiting.pop((one.name, one.text), None)
            if not one.told.done():
                one.told.set_result(vector)
        chars = sum(len(one.text) for one in batch)
        pace_s = took_s / max(chars, 1)
        before_s = self._pace_s.get(batch[0].name, pace_s)
        self._pace_s[batch[0].name] = before_s + _NEWEST * (pace_s - before_s)

    def drop(self) -> None:
        """Give up all that waits."""
        for one in self._waiting.values():
            if not one.told.done():
                one.told.set_result(None)
        self._waiting.clear()
