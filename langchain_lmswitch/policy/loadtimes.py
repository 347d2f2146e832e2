"""How long a load is going to take: a guess, and what this host's loads have taught."""

from typing import Final

FIRST_S: Final = 2.0
BYTES_PER_S: Final = 1.5e9
"""What a load takes before anything was seen: a start, and a disk as most people have it."""

EWMA_SHARE: Final = 0.3
"""What the last observation counts for in an average that forgets."""

_PRIOR_BYTES: Final = 15_000_000_000
_LEAST_S: Final = 0.05
"""A load that took less tells nothing of the disk: it was in memory already."""


def guessed_load_s(size_bytes: int) -> float:
    """Give the seconds that a load of this size takes where nothing is known of the host.

    Example:
        >>> guessed_load_s(3_000_000_000)
        4.0
    """
    return FIRST_S + size_bytes / BYTES_PER_S


class LoadTimes:
    """What the loads of one host took.

    1. A model that was loaded before is expected to take what it took: the average that forgets.
    2. Any other takes a start and a time by its size. Both are fitted to all loads that were seen,
       by least squares, each in parts of its guess; two points of the guess count as one load
       each, so that small models alone do not tell how fast large ones are.
    3. Where nothing was seen, that is the guess.

    Only the first depends on the order of the loads.
    """

    def __init__(self) -> None:
        self._by_key: dict[str, float] = {}
        self._sums = [0.0] * 5
        for size_bytes in (0, _PRIOR_BYTES):
            self._weigh(size_bytes, guessed_load_s(size_bytes))

    def learn(self, key: str, size_bytes: int, load_s: float) -> None:
        """Add a load that succeeded."""
        seen_s = max(load_s, _LEAST_S)
        before_s = self._by_key.get(key, seen_s)
        self._by_key[key] = before_s + EWMA_SHARE * (seen_s - before_s)
        if size_bytes > 0:
            self._weigh(size_bytes, seen_s)

    def load_s(self, key: str, size_bytes: int) -> float:
        """Give the seconds that loading a model is expected to take."""
        if key in self._by_key:  # 1
            return self._by_key[key]
        first_s, s_per_byte = self._line()  # 2, 3
        return first_s + size_bytes * s_per_byte

    def _weigh(self, size_bytes: int, load_s: float) -> None:
        weight = guessed_load_s(size_bytes) ** -2
        terms = (1.0, size_bytes, load_s, size_bytes**2, size_bytes * load_s)
        self._sums = [total + weight * term for total, term in zip(self._sums, terms, strict=True)]

    def _line(self) -> tuple[float, float]:
        """Give the start and the seconds per byte that fit best; neither is below zero."""
        ones, sizes, times, squares, products = self._sums
        s_per_byte = (ones * products - sizes * times) / (ones * squares - sizes**2)
        first_s = (times - s_per_byte * sizes) / ones
        if first_s < 0:
            return 0.0, products / squares
        return (first_s, s_per_byte) if s_per_byte > 0 else (times / ones, 0.0)
