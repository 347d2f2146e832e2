"""The keys of one architecture, read with suspicion."""

from collections.abc import Mapping
from typing import Final

from langchain_lmswitch.embedded.gguf.cursor import Value

MAX_SIZE: Final = 1 << 31


class Facts:
    """The keys of one architecture, each checked for type and size."""

    def __init__(self, metadata: Mapping[str, Value], prefix: str) -> None:
        self._metadata = metadata
        self._prefix = prefix

    def number(self, name: str) -> int:
        """Returns a plain whole number, for a per-layer one the largest; 0 if there is none."""
        return max(self.numbers(name), default=0)

    def numbers(self, name: str) -> tuple[int, ...]:
        """Returns the whole numbers under a name, one or many; empty if there are none."""
        value = self._metadata.get(f"{self._prefix}.{name}")
        many = value if isinstance(value, tuple) else (value,)
        return tuple(item for item in many if isinstance(item, int) and 0 <= item <= MAX_SIZE)

    def flags(self, name: str) -> tuple[bool, ...]:
        """Returns a per-layer yes or no; empty if it is not one for each layer."""
        value = self._metadata.get(f"{self._prefix}.{name}")
        return tuple(bool(item) for item in value) if isinstance(value, tuple) else ()

    def is_false(self, name: str) -> bool:
        """Returns whether the file says a plain no."""
        return self._metadata.get(f"{self._prefix}.{name}") is False
