"""Who writes the summary, among those in memory."""

from langchain_lmswitch.policy.eviction import Occupant
from langchain_lmswitch.policy.planning import ANSWERING
from langchain_lmswitch.policy.summarizers import summarizer
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.models import Resident

CARDS = [
    card("mini", params="0.5B"),
    card("small", params="1.5B"),
    card("big", params="8x7B"),
    card("odd", params="", size_bytes=0),
]
SIZES = {"mini": 1, "small": 2, "big": 9, "odd": 0}


def occupants(*keys: str, answering: str = "", kind: str = "llm") -> list[Occupant]:
    return [
        Occupant(
            resident=Resident(key=key, identifier=f"id/{key}", kind=kind, size_bytes=SIZES[key]),  # type: ignore[arg-type]  # one of the two
            bytes=SIZES[key],
            keep=ANSWERING if key == answering else "",
        )
        for key in keys
    ]


def chosen(wish: str, found: list[Occupant], answered: str = "") -> str | None:
    resident = summarizer(wish, found, CARDS, answered=answered)
    return resident.key if resident else None


def test_auto_is_the_smallest_that_can() -> None:
    assert chosen("auto", occupants("big", "small", "mini")) == "small"
    assert chosen("auto", occupants("big", "small", answering="small")) == "big"
    assert chosen("auto", occupants("mini"), answered="id/mini") is None
    assert chosen("auto", occupants("big", kind="embedding")) is None
    assert chosen("auto", []) is None


def test_of_unknown_size_only_who_has_answered() -> None:
    assert chosen("auto", occupants("odd", "big")) == "big"
    assert chosen("auto", occupants("odd", "big"), answered="id/odd") == "odd"


def test_who_is_named_is_asked_or_nobody() -> None:
    assert chosen("mini", occupants("big", "mini")) == "mini"
    assert chosen("id/mini", occupants("big", "mini")) == "mini"
    assert chosen("mini", occupants("big", "mini", answering="mini")) is None
    assert chosen("mini", occupants("big")) is None
    assert chosen("off", occupants("big")) is None
