"""What a test plans for a model: the same each time, or one thing after the other."""

import copy
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")


def next_turn(planned: Mapping[str, T | list[T]], key: str) -> T | None:
    """Give what is planned for a key: the same each time, or the entries of a list in turn.

    Example:
        >>> planned = {"big": [3], "small": 7}
        >>> [next_turn(planned, key) for key in ("big", "big", "small", "small")]
        [3, None, 7, 7]
    """
    match planned.get(key):
        case list() as waiting:
            return waiting.pop(0) if waiting else None
        case always:
            return always


async def steps(
    fractions: Sequence[float],
    wait: Callable[[], Awaitable[None]],
    *,
    failure: Exception | None,
) -> AsyncGenerator[float, None]:
    """Take the steps of a load, waiting before each; what fails, fails after the first."""
    for fraction in fractions:
        await wait()
        yield fraction
        if failure:
            # Raised again and again, one exception would gather a traceback of them all.
            raise copy.copy(failure)
