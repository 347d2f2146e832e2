"""Who embeds for recall."""

from collections.abc import Sequence
from typing import Final

from langchain_lmswitch.policy.eviction import Occupant
from langchain_lmswitch.policy.planning import ANSWERING
from langchain_lmswitch.types.models import Resident

AUTO: Final = "auto"
OFF: Final = "off"


def embedder(wish: str, occupants: Sequence[Occupant], *, kept: str = "", encoder: str = "") -> str:
    """Name the model that embeds; empty if nobody does.

    1. The one that is wished for, if it is in memory; or the encoder, if that is it.
    2. The one chosen before, as long as it is there: vectors of two models do not compare.
    3. The smallest embedding model in memory that answers nobody.
    4. The encoder.

    Args:
        wish: `auto`, `off`, or the key of a model.
        occupants: Who is in memory.
        kept: Who was chosen before.
        encoder: Key of the encoder in this process; empty if it is not installed.
    """
    there = {one.resident.key for one in occupants if one.resident.kind == "embedding"}
    there |= {encoder} if encoder else set()
    if wish != AUTO:
        return wish if wish in there else ""  # 1
    if kept in there:
        return kept  # 2
    able = [one.resident for one in occupants if _idle(one)]  # 3
    return min(able, key=_size).key if able else encoder  # 4


def instance_of(key: str, occupants: Sequence[Occupant]) -> Resident | None:
    """Give an instance of an embedding model that answers nobody; `None` if there is none."""
    able = [one.resident for one in occupants if _idle(one) and one.resident.key == key]
    return min(able, key=_size, default=None)


def _idle(one: Occupant) -> bool:
    return one.resident.kind == "embedding" and one.keep != ANSWERING


def _size(resident: Resident) -> tuple[int, str]:
    return resident.size_bytes, resident.identifier
