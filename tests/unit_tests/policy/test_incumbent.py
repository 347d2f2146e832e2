"""Who answers where models cannot be compared."""

from langchain_lmswitch.policy.incumbent import incumbents_first
from langchain_lmswitch.testing import card
from langchain_lmswitch.types.tasks import Hints, Needs, Task

CARDS = [
    card("tiny", params="1B"),
    card("large", params="70B"),
    card("eyes", params="4B", vision=True),
    card("embed", kind="embedding"),
]


def order(*resident: str, last: str = "", vision: bool = False) -> list[str]:
    task = Task(
        kind="chat",
        confidence=0.0,
        evidence="x",
        needs=Needs(vision=vision),
        hints=Hints(last_model=last),
    )
    return [one.key for one in incumbents_first(task, CARDS, resident=resident)]


def test_best_prior_comes_first() -> None:
    assert order() == ["large", "eyes", "tiny"]


def test_whoever_is_in_memory_comes_first() -> None:
    assert order("tiny", "eyes") == ["eyes", "tiny", "large"]


def test_model_of_the_last_answer_comes_first_if_it_is_in_memory() -> None:
    assert order("tiny", "eyes", last="tiny") == ["tiny", "eyes", "large"]
    assert order("eyes", last="tiny") == ["eyes", "tiny", "large"]


def test_who_lacks_a_need_comes_last() -> None:
    assert order("tiny", last="tiny", vision=True) == ["eyes", "tiny", "large"]
