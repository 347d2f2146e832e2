"""A chat model shows what was asked of it: at once, whatever it holds, and never a secret."""

import io
import socket
import threading
from typing import Any

import pytest
from langchain_core.load import dumpd
from langchain_core.output_parsers import StrOutputParser
from langchain_core.rate_limiters import InMemoryRateLimiter
from pydantic import SecretStr
from rich.console import Console

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.testing import ScriptedHost

TOKEN = "sk-lm-abcdefgh:0123456789abcdefghij"  # noqa: S105 - of no host


def test_defaults_are_not_told() -> None:
    assert repr(ChatLMSwitch()) == str(ChatLMSwitch()) == "<ChatLMSwitch auto>"


def test_arguments_are_told_in_both_forms() -> None:
    llm = ChatLMSwitch(
        model="coder",
        quality=0.8,
        deny=["smollm*", "phi"],
        roles={"coder": ["code"]},
        stop_sequences=["END"],
        temperature=None,
        timeout=30,
        max_retries=2,
    )

    assert repr(llm) == (
        "<ChatLMSwitch coder | quality 0.8; deny smollm*, phi; roles coder: code; stop END;"
        " timeout 30.0>"
    )
    for told in ("coder", "0.8", "smollm*, phi", "coder: code", "END", "30.0"):
        assert f">{told}<" in llm._repr_html_()


def test_secrets_are_not_told() -> None:
    llm = ChatLMSwitch(
        api_key=SecretStr(TOKEN),
        base_url="me:hunter2@localhost:1234",
        metadata={"key": SecretStr(TOKEN), "team": "red"},
    )
    console = Console(file=io.StringIO(), width=200)
    console.print(llm)
    shown = [repr(llm), str(llm), llm._repr_html_(), repr(llm.bind(stop=["x"]))]
    shown.append(console.file.getvalue())  # type: ignore[attr-defined]  # it is a StringIO

    for text in shown:
        assert "sk-lm" not in text
        assert "hunter2" not in text
        assert "localhost:1234" in text
        assert "set, and not shown" in text
        assert "red" in text


def test_last_decision_is_told() -> None:
    host = ScriptedHost(["tiny"], replies="Fine.")
    llm = ChatLMSwitch(host=host, monitor=host)
    llm.invoke("Hello", task="code")

    assert repr(llm) == (
        "<ChatLMSwitch auto | host ScriptedHost; monitor ScriptedHost; last decision tiny for code>"
    )
    assert "tiny for code" in llm._repr_html_()


def test_address_of_the_settings_is_told_once_they_were_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LMSWITCH_BASE_URL", "localhost:4321")
    llm = ChatLMSwitch()
    assert "4321" not in repr(llm)

    llm._own_settings()
    assert repr(llm) == "<ChatLMSwitch auto | at localhost:4321>"


class Broken:
    """What fails as soon as somebody looks at it."""

    def __repr__(self) -> str:
        raise RuntimeError("It cannot be shown")

    def __eq__(self, other: object) -> bool:
        raise RuntimeError("It cannot be compared")

    __hash__ = None  # type: ignore[assignment]


def test_nothing_makes_it_fail() -> None:
    loop: dict[str, Any] = {"broken": Broken()}
    loop["itself"] = loop
    limiter = InMemoryRateLimiter()
    llm = ChatLMSwitch(metadata=loop, host=Broken(), rate_limiter=limiter, on_event=print)

    assert "broken: Broken" in repr(llm)
    assert "rate_limiter InMemoryRateLimiter; on_event print; host Broken" in repr(llm)
    assert "Broken" in llm._repr_html_()


def test_nothing_is_looked_up_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("This opens a socket")

    host, threads = ScriptedHost(), threading.active_count()
    llm = ChatLMSwitch(host=host, base_url="example.invalid:1234")
    with monkeypatch.context() as patch:
        patch.setattr(socket, "socket", refuse)
        repr(llm)
        llm._repr_html_()

    assert host.calls == []
    assert threading.active_count() == threads


def test_traces_and_graphs_do_not_depend_on_it() -> None:
    """What LangChain writes down of a chat model is of its arguments, not of what it did."""
    host = ScriptedHost(["tiny"], replies="Fine.")
    llm = ChatLMSwitch(host=host, monitor=host, quality=0.5)
    before = dumpd(llm)
    chain = llm | StrOutputParser()
    chain.invoke("Hello")

    assert dumpd(llm) == before
    assert "<ChatLMSwitch auto | quality 0.5" in repr(chain)
    assert "ChatLMSwitch" in chain.get_graph().draw_mermaid()
    assert llm.get_name() == "ChatLMSwitch"
