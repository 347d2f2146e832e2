"""What a request adds to its conversation."""

from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from langchain_lmswitch.messages.conversation import conversation
from langchain_lmswitch.messages.outgoing import history
from langchain_lmswitch.types.options import RouterOptions

SCHEMA = {"type": "object", "properties": {"größe": {"type": "string"}}}
HELLO = [HumanMessage("Hello")]


@pytest.mark.parametrize(
    "options", [{}, {"json_schema": None}, {"json_schema": {"type": "object"}}]
)
def test_without_a_schema_nothing_is_added(options: RouterOptions) -> None:
    """A JSON mode without a schema is for those who write their own prompt."""
    assert conversation(HELLO, options) == history(HELLO)


@pytest.mark.parametrize("system", [[], [SystemMessage("Be brief.")]])
def test_schema_stands_in_the_one_system_message(system: list[BaseMessage]) -> None:
    first, *others = conversation([*system, *HELLO], {"json_schema": SCHEMA})
    [part] = first["content"]

    assert first["role"] == "system"
    assert part["text"].startswith("Be brief.\n\n") == bool(system)
    assert "größe" in part["text"]
    assert tuple(others) == history(HELLO)


def test_reasoning_is_sent_where_that_is_wished() -> None:
    thought: dict[str, Any] = {"reasoning_content": "Hm."}
    turns = [*HELLO, AIMessage("Hi.", additional_kwargs=thought), HumanMessage("And?")]

    assert "Hm." not in str(conversation(turns, {}))
    assert "Hm." in str(conversation(turns, {"send_reasoning": True}))
