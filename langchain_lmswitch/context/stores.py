"""Where what was worked out is kept beyond the process; the protocol only."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, Protocol, runtime_checkable

Kind = Literal["segments", "summaries", "vectors"]


@runtime_checkable
class ContextStore(Protocol):
    """Something that keeps plain JSON values by kind and key. Any thread may use it.

    Keys are made of what was said, so that a value never changes, and losing one costs time only.
    Indexes hold the words of the messages, and summaries tell what was said: who keeps them keeps
    private things.
    """

    def get_many(self, kind: Kind, keys: Sequence[str]) -> Mapping[str, Any]:
        """Give what is kept under these keys; others are left out."""

    def put_many(self, kind: Kind, items: Mapping[str, Any]) -> None:
        """Keep values under their keys."""
