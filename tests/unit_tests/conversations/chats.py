"""Conversations that several tests share."""

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

CODE = "7421"
ASKED = "What is the code of the vault?"


def chat(turns: int = 80) -> list[BaseMessage]:
    """A long chat that tells a code in its first turn, and has calls of tools in it."""
    said: list[BaseMessage] = [
        HumanMessage(f"The code of the vault is {CODE}.", id="told"),
        AIMessage("I will remember.", id="answer"),
    ]
    for turn in range(turns):
        calls = [{"name": "look_up", "args": {"topic": f"town {turn}"}, "id": f"call {turn}"}]
        said += [
            HumanMessage(f"Tell me about town number {turn}, please.", id=f"q{turn}"),
            AIMessage("", tool_calls=calls, id=f"c{turn}"),
            ToolMessage(f"Town {turn} has {turn} bridges. " * 5, tool_call_id=f"call {turn}"),
            AIMessage(f"Town {turn} lies at a river. " * 4, id=f"a{turn}"),
        ]
    return said


def orphans(messages: list[BaseMessage]) -> list[str]:
    """Name the results without their call, and the calls without their result."""
    calls: list[str | None] = []
    found: list[str] = []
    for one in messages:
        if isinstance(one, ToolMessage) and one.tool_call_id in calls:
            calls.remove(one.tool_call_id)
        elif isinstance(one, ToolMessage):
            found.append(one.tool_call_id)
        else:
            found += filter(None, calls)
            calls = [call["id"] for call in one.tool_calls] if isinstance(one, AIMessage) else []
    return found
