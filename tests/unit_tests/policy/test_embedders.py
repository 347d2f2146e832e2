"""Who embeds for recall: somebody who is there anyway, and always the same one."""

import pytest

from langchain_lmswitch.policy.embedders import AUTO, embedder, instance_of
from langchain_lmswitch.policy.eviction import Occupant
from langchain_lmswitch.policy.planning import ANSWERING
from langchain_lmswitch.types.models import ModelKind, Resident

ENCODER = "encoder-of-the-extra"


def there(
    key: str, size: int = 1, *, kind: ModelKind = "embedding", keep: str = "", number: int = 1
) -> Occupant:
    resident = Resident(key=key, identifier=f"{key}:{number}", kind=kind, size_bytes=size)
    return Occupant(resident=resident, bytes=size, keep=keep)


SMALL, LARGE = there("small", 1), there("large", 2)
BUSY = there("small", 1, keep=ANSWERING)
CHAT = there("chat", 1, kind="llm")


@pytest.mark.parametrize(
    ("occupants", "kept", "encoder", "who"),
    [
        ([], "", "", ""),
        ([CHAT], "", "", ""),
        ([CHAT], "", ENCODER, ENCODER),
        ([CHAT, LARGE, SMALL], "", ENCODER, "small"),
        ([LARGE, BUSY], "", ENCODER, "large"),
        ([BUSY], "", ENCODER, ENCODER),
        ([BUSY], "", "", ""),
        ([SMALL, LARGE], "large", ENCODER, "large"),
        ([BUSY, LARGE], "small", ENCODER, "small"),
        ([LARGE], "small", ENCODER, "large"),
        ([SMALL], ENCODER, ENCODER, ENCODER),
        ([SMALL], ENCODER, "", "small"),
    ],
)
def test_who_embeds(occupants: list[Occupant], kept: str, encoder: str, who: str) -> None:
    assert embedder(AUTO, occupants, kept=kept, encoder=encoder) == who


@pytest.mark.parametrize(
    ("wish", "who"),
    [("large", "large"), ("missing", ""), ("chat", ""), (ENCODER, ENCODER)],
)
def test_a_wish_is_for_that_model_or_none(wish: str, who: str) -> None:
    assert embedder(wish, [SMALL, LARGE, CHAT], kept="small", encoder=ENCODER) == who


def test_of_two_instances_the_idle_one_is_asked() -> None:
    second = there("small", 1, number=2)
    found = instance_of("small", [BUSY, second, LARGE])
    assert found == second.resident
    assert instance_of("small", [BUSY, LARGE]) is None
