"""The rules of others, each by an example in which it differs from the rest."""

import pytest

from langchain_lmswitch.testing.bench.rivals import RIVALS, load_seconds
from langchain_lmswitch.testing.bench.streams import GB, Stream, model


def loads(rival: str, gb: str, requests: str, *, budget_gb: int = 12) -> list[str]:
    """Say which models a rival loads; they are named a, b, c by their sizes in `gb`."""
    models = tuple(model("abcdefgh"[at], float(size)) for at, size in enumerate(gb.split()))
    places = tuple("abcdefgh".index(name) for name in requests)
    found, before_s = [], 0.0
    for count in range(1, len(places) + 1):
        one = Stream(
            name="made", models=models, requests=places[:count], tight_bytes=0, roomy_bytes=0
        )
        now_s = load_seconds(one, budget_gb * GB, rival)
        if now_s > before_s:
            found.append(requests[count - 1])
        before_s = now_s
    return found


def test_keep_one_loads_at_every_change() -> None:
    assert loads("keep-one", "1 1", "aababb") == ["a", "b", "a", "b"]


def test_ollama_evicts_by_name() -> None:
    """With a time to live for all the first in the alphabet leaves, however often it is used."""
    assert loads("ollama", "4 4 4 4", "abcaadab") == ["a", "b", "c", "d", "a", "b"]


def test_fifo_evicts_what_was_loaded_first() -> None:
    assert loads("fifo", "4 4 4 4", "abcadab") == ["a", "b", "c", "d", "a", "b"]


def test_lru_evicts_what_was_used_longest_ago() -> None:
    assert loads("lru", "4 4 4 4", "abcadab") == ["a", "b", "c", "d", "b"]


def test_gds_evicts_what_costs_least_for_its_size() -> None:
    """A second to load beside a byte's share: the large one is cheaper by the byte."""
    assert loads("gds", "8 2 4", "bacba") == ["b", "a", "c", "a"]
    assert loads("lru", "8 2 4", "bacba") == ["b", "a", "c", "b", "a"]


def test_as_many_leave_as_needed() -> None:
    assert loads("lru", "4 4 4 10", "abcdc") == ["a", "b", "c", "d", "c"]


@pytest.mark.parametrize("rival", RIVALS)
def test_loads_cost_a_second_and_their_bytes(rival: str) -> None:
    one = Stream(
        name="made", models=(model("a", 3.0),), requests=(0, 0), tight_bytes=0, roomy_bytes=0
    )

    assert load_seconds(one, 12 * GB, rival) == pytest.approx(3.0)
