"""What callers count tokens with, told apart."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage
from langchain_core.messages.utils import count_tokens_approximately

from langchain_lmswitch.context.counters import counter_of
from langchain_lmswitch.context.naming import Names
from langchain_lmswitch.errors import InvalidRequest

TEXT = "The vault is in the cellar."
MESSAGES = [HumanMessage(TEXT), HumanMessage(TEXT)]


class Model(FakeListChatModel):
    """A chat model that counts words."""

    def get_num_tokens_from_messages(
        self, messages: Sequence[BaseMessage], tools: Any = None
    ) -> int:
        return sum(len(one.text.split()) for one in messages) + len(tools or ())


class Tokenizer:
    """Encodes texts, and nothing else, as tokenizers do."""

    def __init__(self, error: type[Exception]) -> None:
        self._error = error

    def encode(self, text: Any) -> list[str]:
        if not isinstance(text, str):
            raise self._error("text input must be of type `str`")
        return text.split()


STRICT, STRICTER = Tokenizer(TypeError), Tokenizer(ValueError)


def of_text(text: str) -> int:
    return len(text.split())


def of_message(message: BaseMessage) -> int:
    return len(message.text.split())


def of_any_message(message: AnyMessage) -> int:
    return len(message.text.split())


def of_messages(messages: list[BaseMessage]) -> int:
    return sum(map(of_message, messages))


def told_late(messages: "Iterable[BaseMessage]") -> int:
    return sum(map(of_message, messages))


def a_share(text: str) -> float:
    return len(text.split()) / 4


@pytest.mark.parametrize(
    ("count_tokens", "kind"),
    [
        (of_text, "texts"),
        (of_message, "message"),
        (of_any_message, "message"),
        (of_messages, "messages"),
        (told_late, "messages"),
        (count_tokens_approximately, "messages"),
        ("approximate", "messages"),
        (Model(responses=["x"]), "messages"),
        (Model(responses=["x"]).get_num_tokens_from_messages, "messages"),
        (len, "texts"),
        pytest.param(lambda text: len(text.split()), "texts", id="no annotation"),
        pytest.param(lambda text: len(STRICT.encode(text)), "texts", id="tiktoken"),
        pytest.param(lambda text: len(STRICTER.encode(text)), "texts", id="transformers"),
        (lambda messages: sum(len(one.text.split()) for one in messages), "messages"),
        (partial(count_tokens_approximately, chars_per_token=3.0), "messages"),
        (a_share, "texts"),
    ],
)
def test_what_it_counts(count_tokens: Any, kind: str) -> None:
    assert counter_of(count_tokens).counts == kind


@pytest.mark.parametrize("count_tokens", [of_text, of_message, of_messages, told_late])
def test_a_text_counts_as_much_whatever_is_counted(count_tokens: Any) -> None:
    assert counter_of(count_tokens).text(TEXT) == 6


def test_parts_of_a_token_count_as_one() -> None:
    assert counter_of(a_share).text(TEXT) == 2


def test_tools_are_counted_by_who_can() -> None:
    """Else as the JSON that describes them."""
    assert counter_of(Model(responses=["x"]), [of_text, of_message]).messages(MESSAGES) == 14
    assert "of_text" in counter_of(of_text, [of_text]).tools
    odd = counter_of(of_text, [{"only_its": "provider knows"}])
    assert odd.text(odd.tools) == 3


@pytest.mark.filterwarnings("error")
def test_a_model_that_ignores_tools_is_not_asked_about_them() -> None:
    class Ignoring(FakeListChatModel):
        def get_token_ids(self, text: str) -> list[int]:
            return [0] * len(text.split())

    assert "of_text" in counter_of(Ignoring(responses=["x"]), [of_text]).tools


@pytest.mark.parametrize("count_tokens", [None, 4, "exact", object(), lambda _: None, dict.clear])
def test_what_counts_nothing_is_told_how_to(count_tokens: Any) -> None:
    with pytest.raises(InvalidRequest, match="Pass a function"):
        counter_of(count_tokens)


def test_names_tell_counters_apart() -> None:
    """Neither by what they are called, nor by where they lie in memory."""

    def maker(scale: int) -> Any:
        return lambda text: scale * len(text)

    names, one = Names("counter"), Model(responses=["x"])
    assert names.of(maker(2)) == names.of(maker(2)) != names.of(maker(3))
    assert names.of(one.get_num_tokens) == names.of(one.get_num_tokens)
    assert names.of(one.get_num_tokens) != names.of(Model(responses=["x"]).get_num_tokens)
    assert len({names.of(Model(responses=["x"])) for _ in range(20)}) == 20
    assert names.of(partial(of_text, TEXT)) == names.of(partial(of_text, TEXT))
    assert names.of(partial(of_text, TEXT)) != names.of(partial(a_share, TEXT))


def test_a_variable_with_another_value_makes_another_counter() -> None:
    """As in a notebook where a cell is run again."""
    module: dict[str, Any] = {}
    names, told = Names("counter"), []
    for encoding in ("str.split", "str.splitlines", "str.splitlines"):
        exec(f"encode = {encoding}", module)  # noqa: S102 - our own code
        exec("count = lambda said: sum(len(encode(one.text)) for one in said)", module)  # noqa: S102
        told.append(names.of(module["count"]))

    assert told[0] != told[1] == told[2]
