"""What a model thought stays here, unless it is asked for."""

import pytest
from langchain_core.messages import AIMessage

from langchain_lmswitch.messages.outgoing import history, text_of


def text(said: str) -> dict[str, str]:
    return {"type": "text", "text": said}


THOUGHTS: list[AIMessage] = [
    AIMessage(content=[{"type": "reasoning", "reasoning": "hm"}, text("Yes.")]),
    AIMessage(content=[{"type": "thinking", "thinking": "hm", "signature": "s"}, text("Yes.")]),
    AIMessage(content=[{"type": "reasoning", "summary": [{"text": "hm"}]}, text("Yes.")]),
    AIMessage(content=[{"type": "reasoning_content", "reasoning_content": {"text": "hm"}}, "Yes."]),
    AIMessage(content="Yes.", additional_kwargs={"reasoning_content": "hm\n"}),
    AIMessage(
        content=[{"type": "reasoning", "reasoning": "hm"}, text("Yes.")],
        additional_kwargs={"reasoning_content": "hm"},
    ),
]


@pytest.mark.parametrize("message", THOUGHTS)
def test_thinking_is_not_sent_back_unless_asked(message: AIMessage) -> None:
    assert list(history([message])) == [{"role": "assistant", "content": [text("Yes.")]}]
    assert text_of(message) == "Yes."

    [entry] = history([message], send_reasoning=True)
    assert entry["content"] == [text("<think>\nhm\n</think>\n\nYes.")]


def test_no_thinking_adds_nothing() -> None:
    hidden = AIMessage(content=[{"type": "redacted_thinking", "data": "x"}, text("Yes.")])

    for message in (hidden, AIMessage(content="Yes.")):
        assert history([message], send_reasoning=True) == history([message])
