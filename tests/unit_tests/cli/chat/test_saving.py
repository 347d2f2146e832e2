"""Conversations as files, there and back."""

import json
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage

from langchain_lmswitch.cli.chat.conversation import STOPPED, Conversation, Turn
from langchain_lmswitch.cli.chat.saving import read, written
from langchain_lmswitch.errors import InvalidRequest

JSON, MARKDOWN = Path("chat.json"), Path("chat.md")


def answer(text: str, *, ending: str = "stop", thought: str = "") -> AIMessage:
    return AIMessage(
        text,
        additional_kwargs={"reasoning_content": thought} if thought else {},
        response_metadata={"finish_reason": ending, "lmswitch": {"model": "tiny"}},
    )


def conversation() -> Conversation:
    return Conversation(
        system="Be brief.",
        turns=[
            Turn("Why # is a heading?", answer("So.", thought="Hmm.")),
            Turn("two\nlines", answer("Half an ans", ending=STOPPED)),
            Turn("no answer"),
        ],
    )


def test_json_comes_back_as_it_was() -> None:
    text = written(conversation(), JSON, when="today")

    assert read(text, JSON) == conversation()


def test_json_is_langchains_own_form() -> None:
    record = json.loads(written(conversation(), JSON, when="today"))

    assert record["saved_at"] == "today"
    assert [one["type"] for one in record["messages"]] == [
        "system",
        "human",
        "ai",
        "human",
        "ai",
        "human",
    ]


def test_markdown_is_for_reading() -> None:
    assert written(conversation(), MARKDOWN, when="today").splitlines() == [
        "# Chat of today",
        "",
        "Instructions: Be brief.",
        "",
        r"## Why \# is a heading?",
        "",
        "So.",
        "",
        "*tiny*",
        "",
        "## Question",
        "",
        "> two",
        "> lines",
        "",
        "Half an ans",
        "",
        "*tiny, stopped*",
        "",
        "## no answer",
    ]


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"messages": 1}', '{"messages": [{"type": "x", "data": {}}]}', "null", "{"],
)
def test_what_is_no_conversation_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"chat\.json holds no .*`/save NAME\.json`"):
        read(text, JSON)
