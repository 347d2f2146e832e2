"""What a host's words on a failure speak of. Pure."""

import re
from typing import Final

_MEMORY: Final = re.compile(
    r"insufficient (system )?(resources|memory|ram|vram)|guardrail|out of memory|\boom\b"
    r"|not (have )?enough (free |system |gpu |video )?(memory|ram|vram|resources)"
    r"|(failed|unable|cannot) to allocate|cannot allocate|allocation failed|bad_alloc"
    r"|overload your system|sigkill|signal:? 9\b",
    re.IGNORECASE,
)


def sounds_like_memory(words: str) -> bool:
    """Whether the host's words speak of a lack of memory; such errors carry no code."""
    return _MEMORY.search(words) is not None
