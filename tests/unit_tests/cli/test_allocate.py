"""`lmswitch allocate`: models for the nodes of a graph, by what they have asked for."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from langgraph.graph import START, MessagesState, StateGraph
from typer.testing import CliRunner, Result

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.cli.app import app
from langchain_lmswitch.cli.session import Session
from langchain_lmswitch.ledger.sqlite import SqliteLedger
from langchain_lmswitch.settings import Settings
from langchain_lmswitch.switch.learning import HERE
from langchain_lmswitch.testing import FixedMachine, ScriptedHost, card
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.machine import Snapshot
from langchain_lmswitch.types.tasks import Features

GIB = 2**30
CODER = card("coder-7b", params="7B", size_bytes=16 * GIB)
CHAT = card("chat-9b", params="9B", size_bytes=20 * GIB)
EYES = card("eyes-2b", params="2B", size_bytes=GIB, vision=True)
GRAPH = """
from langgraph.graph import START, MessagesState, StateGraph

graph = StateGraph(MessagesState)
graph.add_node("write", lambda _: {})
graph.add_node("look_up", lambda _: {})
graph.add_node("talk", lambda _: {})
graph.add_edge(START, "talk")
graph.add_edge("talk", "write")
compiled = graph.compile()
"""


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SqliteLedger]:
    """The ledger of a home of our own."""
    monkeypatch.setenv("LMSWITCH_HOME", str(tmp_path))
    made = SqliteLedger(Settings().ledger_path)
    yield made
    made.close()


def machine(free_gib: float = 64) -> FixedMachine:
    free = int(free_gib * GIB)
    return FixedMachine(now=Snapshot(ram_total_bytes=96 * GIB, ram_free_bytes=free, gpus=()))


def run(*args: str, free_gib: float = 64, host: ScriptedHost | None = None) -> Result:
    host = host or ScriptedHost([CODER, CHAT, EYES])
    session = Session(host=host, monitor=machine(free_gib))
    return CliRunner().invoke(app, ["allocate", *args], obj=session)


def allocated(*args: str, **more: Any) -> dict[str, str]:
    done = run(*args, "--json", **more)
    assert done.exit_code == 0, done.stderr
    return {node: hints["model"] for node, hints in json.loads(done.stdout)["nodes"].items()}


def graph(llm: ChatLMSwitch) -> Any:
    """A graph of which every node sees the same text, and only its name and task differ."""
    made = StateGraph(MessagesState)
    made.add_node("talk", lambda state: {"messages": llm.invoke(state["messages"][:1])})
    made.add_node(
        "write", lambda state: {"messages": llm.invoke(state["messages"][:1], task="code")}
    )
    made.add_edge(START, "talk")
    made.add_edge("talk", "write")
    return made.compile()


def used(ledger: SqliteLedger, *, times: int = 3) -> None:
    """Let the graph run, each request of its nodes recorded."""
    host = ScriptedHost([CODER, CHAT, EYES])
    agent = graph(ChatLMSwitch(host=host, monitor=machine(), ledger=ledger))
    for _ in range(times):
        agent.invoke({"messages": "Hello there"})
    ledger.close()


@pytest.mark.usefixtures("ledger")
def test_without_a_log_or_names_it_says_what_to_do() -> None:
    done = run()

    assert done.exit_code == 1
    assert "--nodes plan=reasoning,write=code" in done.stderr


def test_nodes_get_what_suits_the_requests_in_the_log(ledger: SqliteLedger) -> None:
    used(ledger)
    done = run()

    assert done.exit_code == 0
    lines = done.stdout.splitlines()
    assert [line.split()[:3] for line in lines[2:4]] == [
        ["talk", "chat-9b", "3"],
        ["write", "coder-7b", "3"],
    ]
    assert re.match(
        r"So allocated: quality 0\.\d+, [\d.]+ s for an answer, 0 loads of 0 s in 100 calls, 3\d\.",
        lines[-2],
    )
    assert re.match(r"\S+ for all: quality 0\.\d+, .*, 0 loads of 0 s", lines[-1])


def test_what_is_printed_as_json_makes_the_graph_run_so(ledger: SqliteLedger) -> None:
    used(ledger)
    told = json.loads(run("--json").stdout)
    host = ScriptedHost([CODER, CHAT, EYES])
    agent = graph(ChatLMSwitch(host=host, monitor=host, nodes=told["nodes"]))
    answers = agent.invoke({"messages": "What is a sonnet?"})["messages"][1:]

    assert told["nodes"] == {"talk": {"model": "chat-9b"}, "write": {"model": "coder-7b"}}
    assert told["calls"] == {"talk": 3, "write": 3}
    assert [one.response_metadata["lmswitch"]["model"] for one in answers] == [
        "chat-9b",
        "coder-7b",
    ]


def test_with_room_for_one_it_depends_on_what_waiting_is_worth(ledger: SqliteLedger) -> None:
    """The two take turns in each run of the graph: two loads, or the second best once."""
    used(ledger)
    best = json.loads(run("--quality", "1", "--json", free_gib=24).stdout)

    assert len(set(allocated("--quality", "0", free_gib=24).values())) == 1
    assert best["nodes"] == {"talk": {"model": "chat-9b"}, "write": {"model": "coder-7b"}}
    assert best["expected"]["loads_per_100_calls"] == 100
    assert best["one_model"]["loads_per_100_calls"] == 0


def test_grades_of_a_node_are_of_that_node(ledger: SqliteLedger) -> None:
    used(ledger, times=1)

    assert [one.node for one in ledger.grades()] == ["talk", "write"]


def test_what_callers_said_of_answers_counts(ledger: SqliteLedger) -> None:
    """Thirty good words for the small one, where the large one failed as often."""
    used(ledger)
    assert allocated() == {"talk": "chat-9b", "write": "coder-7b"}
    for number in range(30):
        for key, score in (("eyes-2b", 1.0), ("chat-9b", 0.0), ("coder-7b", 0.0)):
            ledger.note_grade(
                Grade(
                    at_s=number,
                    key=key,
                    features=Features(kinds={"chat": 1.0}),
                    score=score,
                    node="talk",
                    request=f"{number}",
                    host=HERE,
                )
            )
    ledger.close()

    assert allocated()["talk"] == "eyes-2b"


@pytest.mark.usefixtures("ledger")
def test_the_users_rules_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = ("--nodes", "write=code,talk=chat")
    monkeypatch.setenv("LMSWITCH_DENY", "coder")
    assert allocated(*nodes) == {"write": "chat-9b", "talk": "chat-9b"}
    monkeypatch.setenv("LMSWITCH_ROLES", '{"eyes": ["chat"]}')
    assert allocated(*nodes) == {"write": "chat-9b", "talk": "eyes-2b"}


@pytest.mark.usefixtures("ledger")
def test_nodes_that_never_ran_go_by_their_tasks_or_names() -> None:
    assert allocated("--nodes", "a=code,b=chat") == {"a": "coder-7b", "b": "chat-9b"}
    assert allocated("--nodes", "code_writer, small_talk") == {
        "code_writer": "coder-7b",
        "small_talk": "chat-9b",
    }


def test_the_nodes_of_a_graph_that_ask_models(ledger: SqliteLedger, tmp_path: Path) -> None:
    """All of them before its first run; then those that the log knows."""
    file = tmp_path / "agent.py"
    file.write_text(GRAPH)
    drawn = tmp_path / "agent.json"
    made: Any = StateGraph(MessagesState)
    for name in ("end", "begin"):
        made.add_node(name, lambda _: {})
    made.add_edge(START, "begin")
    made.add_edge("begin", "end")
    drawn.write_text(json.dumps(made.compile().get_graph().to_json()))

    assert list(allocated(f"{file}:compiled")) == ["talk", "write", "look_up"]
    assert list(allocated(f"{file}:graph")) == ["talk", "write", "look_up"]
    assert list(allocated(str(drawn))) == ["begin", "end"]
    used(ledger)
    assert list(allocated(f"{file}:graph")) == ["talk", "write"]


@pytest.mark.usefixtures("ledger")
@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--nodes", "a=cooking"], "no task 'cooking' for node 'a': take code, math"),
        (["--nodes", "a,,b"], "names no node"),
        (["nowhere.json"], "cannot be read as a graph"),
        (["nowhere.py:graph"], "no file nowhere.py"),
        (["{tmp}/list.json"], "is no graph"),
        (["{tmp}/other.json"], "is no graph"),
        (["{tmp}/empty.py:graph"], "no graph of the name 'graph'"),
    ],
)
def test_wrong_usage_says_what_is_right(args: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "other.json").write_text('{"nodes": [1]}')
    (tmp_path / "empty.py").write_text("")
    done = run(*(one.replace("{tmp}", str(tmp_path)) for one in args))

    assert done.exit_code == 2
    assert said in " ".join(done.stderr.split())


def test_what_nobody_can_do_is_said(ledger: SqliteLedger) -> None:
    used(ledger)
    done = run(host=ScriptedHost([]))

    assert done.exit_code == 0
    assert "none can" in done.stdout
    assert "lmswitch models" in done.stderr


@pytest.mark.usefixtures("ledger")
def test_loads_and_calls_nothing() -> None:
    host = ScriptedHost([CODER, CHAT])

    assert run("--nodes", "a", host=host).exit_code == 0
    assert {call.method for call in host.calls} <= {"cards", "residents", "estimate"}
