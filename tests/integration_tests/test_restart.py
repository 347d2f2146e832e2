"""An agent whose process dies in the middle of a tool call goes on in another one."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage, messages_from_dict
from langchain_core.messages import messages_to_dict as as_dicts
from langgraph.checkpoint.sqlite import SqliteSaver

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.testing import ScriptedHost, card, tool_call

DIED = 86
"""The exit status of a process that was not asked to end."""
THREAD: Any = {"configurable": {"thread_id": "parcel-7"}}
QUESTION = "Where is parcel 7?"
PLACE = "in Bergen"


def host(*, larger_too: bool) -> ScriptedHost:
    """A machine; after the restart it has a larger model too, which would win a new choice."""
    models = [card("first", params="3B")] + [card("larger", params="30B")] * larger_too

    def reply(messages: Any) -> Any:
        if messages[-1]["role"] == "tool":
            return f"Parcel 7 is {PLACE}."
        return tool_call("locate", {"parcel_id": 7})

    return ScriptedHost(models, replies=reply)


def run(folder: Path, *, restarted: bool) -> list[AnyMessage]:
    """Do the task, or what is left of it, in this process."""

    def locate(parcel_id: int) -> str:
        """Tell where a parcel is."""
        with (folder / "calls").open("a") as calls:
            calls.write(f"{parcel_id}\n")
        if not restarted:
            os._exit(DIED)  # no cleanup, no flush: as by the kernel
        return PLACE

    scripted = host(larger_too=restarted)
    llm = ChatLMSwitch(host=scripted, monitor=scripted)
    with SqliteSaver.from_conn_string(str(folder / "checkpoints.sqlite")) as saver:
        agent: Any = create_agent(llm, tools=[locate], checkpointer=saver)
        given = None if restarted else {"messages": [("user", QUESTION)]}
        messages: list[AnyMessage] = agent.invoke(given, THREAD, durability="sync")["messages"]
    return messages


def in_another_process(folder: Path, *, restarted: bool) -> subprocess.CompletedProcess[str]:
    code = "import json, sys, test_restart as t; t.main(sys.argv[1], sys.argv[2] == 'restarted')"
    return subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-W", "error", "-c", code, str(folder), "restarted" * restarted],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def main(folder: str, restarted: bool) -> None:  # noqa: FBT001 - from a command line
    """Write the conversation, as another process's work."""
    messages = run(Path(folder), restarted=restarted)
    sys.stdout.write(json.dumps(as_dicts(messages)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a process has died in the tool."""
    folder = tmp_path_factory.mktemp("agent")
    died = in_another_process(folder, restarted=False)
    assert (died.returncode, died.stdout) == (DIED, ""), died.stderr
    return folder


def kept(folder: Path) -> list[AnyMessage]:
    """The conversation as it lies on disk."""
    with SqliteSaver.from_conn_string(str(folder / "checkpoints.sqlite")) as saver:
        saved = saver.get_tuple(THREAD)
    assert saved is not None
    messages: list[AnyMessage] = saved.checkpoint["channel_values"]["messages"]
    return messages


@pytest.fixture(scope="module")
def before(folder: Path) -> list[AnyMessage]:
    """The conversation as the first process left it."""
    return kept(folder)


@pytest.fixture(scope="module")
def after(folder: Path, before: list[AnyMessage]) -> list[AnyMessage]:
    """The conversation as the second process ended it."""
    assert before
    done = in_another_process(folder, restarted=True)
    assert done.returncode == 0, done.stderr
    messages: list[Any] = messages_from_dict(json.loads(done.stdout))
    return messages


def test_the_call_survives_the_death(before: list[AnyMessage]) -> None:
    assert [message.type for message in before] == ["human", "ai"]
    call = before[-1]
    assert isinstance(call, AIMessage)
    assert [(one["name"], one["args"]) for one in call.tool_calls] == [("locate", {"parcel_id": 7})]
    assert call.response_metadata["lmswitch"]["model"] == "first"


def test_the_task_is_ended(before: list[AnyMessage], after: list[AnyMessage]) -> None:
    """The result is there once, for the call of the first process; nothing is asked again."""
    assert [message.type for message in after] == ["human", "ai", "tool", "ai"]
    assert after[:2] == before
    called, result = after[1:3]
    assert isinstance(called, AIMessage)
    assert isinstance(result, ToolMessage)
    assert result.tool_call_id == called.tool_calls[0]["id"]
    assert (result.content, result.status) == (PLACE, "success")
    assert after[-1].text == f"Parcel 7 is {PLACE}."
    assert len({message.id for message in after}) == len(after)


def test_the_model_stays(after: list[AnyMessage]) -> None:
    """Though a larger one was installed meanwhile, and neither was loaded any more."""
    records = [one.response_metadata["lmswitch"] for one in after if isinstance(one, AIMessage)]
    assert [record["model"] for record in records] == ["first", "first"]
    assert {one["key"] for one in records[-1]["candidates"]} == {"first", "larger"}


@pytest.mark.usefixtures("after")
def test_the_disk_has_the_same(folder: Path, after: list[AnyMessage]) -> None:
    assert kept(folder) == after
    with closing(sqlite3.connect(folder / "checkpoints.sqlite")) as db:
        assert db.execute("select distinct checkpoint_ns from checkpoints").fetchall() == [("",)]
    assert (folder / "calls").read_text().split() == ["7", "7"]


def test_a_new_task_would_get_the_larger_model() -> None:
    """So that the test above shows a rule and not the ranking."""
    scripted = host(larger_too=True)
    decision = ChatLMSwitch(host=scripted, monitor=scripted).explain(QUESTION)
    assert decision.model == "larger"
