"""`why`: the last decision of a chat model, whoever asked it."""

import copy
import pickle
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.caches import InMemoryCache
from pydantic import BaseModel

from langchain_lmswitch import ChatLMSwitch, Decision
from langchain_lmswitch.errors import ContextTooLong, LoadFailed, NoSuitableModel, NotEnoughMemory
from langchain_lmswitch.testing import ScriptedHost, card

MIB = 2**20


def llm(host: ScriptedHost | None = None, **fields: Any) -> ChatLMSwitch:
    host = host or ScriptedHost(["tiny"], replies="Fine.")
    return ChatLMSwitch(host=host, monitor=host, **fields)


def test_why_is_the_record_of_the_last_answer() -> None:
    asking = llm()
    assert asking.why() is None

    answer = asking.invoke("Hello", task="code")
    why = asking.why()

    assert why is not None
    assert why.to_dict() == answer.response_metadata["lmswitch"]
    assert Decision.from_dict(answer.response_metadata["lmswitch"]) == Decision.from_dict(
        why.to_dict()
    )
    assert (why.model, why.task, why.identifier) == ("tiny", "code", "lmswitch/tiny")


async def test_why_follows_every_way_of_asking() -> None:
    class Name(BaseModel):
        name: str

    host = ScriptedHost(["tiny"], replies='{"name": "Ada"}')
    asking = llm(host)
    requests = set()

    def noted() -> None:
        why = asking.why()
        assert why is not None
        requests.add(why.request)

    await asking.ainvoke("Hello")
    noted()
    list(asking.bind(temperature=0.5).stream("Hello"))
    noted()
    [_ async for _ in asking.with_config(tags=["a"]).astream("Hello")]
    noted()
    asking.with_structured_output(Name).invoke("Who?")
    noted()
    agent: Any = create_agent(asking)
    agent.invoke({"messages": [("user", "Hello")]})
    noted()
    assert len(requests) == 5


def test_why_of_a_mere_explanation_is_not_told() -> None:
    asking = llm()
    asking.explain("Hello")

    assert asking.why() is None


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
def test_copies_start_without_one(copied: Any) -> None:
    asking = llm()
    asking.invoke("Hello")

    assert copied(asking).why() is None
    assert asking.model_copy(update={"quality": 1.0}).why() is None
    assert asking.why() is not None


def test_pickles_start_without_one() -> None:
    asking = llm()
    asking.invoke("Hello")
    asking.host = asking.monitor = None  # it holds a connection

    assert pickle.loads(pickle.dumps(asking)).why() is None  # noqa: S301 - our own
    assert asking.why() is not None


def test_answer_from_the_cache_is_the_last_one_too() -> None:
    asking = llm(cache=InMemoryCache())
    asking.invoke("Hello")
    asking.invoke("Other")
    asking.invoke("Hello")
    why = asking.why()

    assert why is not None
    assert why.cached


def test_refusals_say_why_nobody_answered() -> None:
    """The last decision then has no model, and tells what is wrong with each."""
    big = card("big", size_bytes=900 * MIB)
    small = ScriptedHost([big], memory_bytes=100 * MIB)
    asking = llm(small)
    asking.profile  # noqa: B018 - as LangChain does
    with pytest.raises(NotEnoughMemory):
        asking.invoke("Hello")
    why = asking.why()

    assert why is not None
    assert (why.model, [one.fits for one in why.candidates]) == ("", [False])
    assert "no model for chat" in repr(why)


def test_refusal_after_failed_loads_tells_of_them() -> None:
    host = ScriptedHost(["tiny"], fail_load={"tiny": LoadFailed("tiny", reason="No luck.")})
    asking = llm(host)
    with pytest.raises(LoadFailed):
        asking.invoke("Hello")
    why = asking.why()

    assert why is not None
    assert why.model == ""
    assert any("No luck." in one for one in why.fallbacks)


def test_refusal_for_a_need_names_what_each_lacks() -> None:
    asking = llm(require=["vision"])
    with pytest.raises(NoSuitableModel):
        asking.invoke("Hello")
    why = asking.why()

    assert why is not None
    assert why.candidates[0].lacks


def test_message_too_long_says_for_whom() -> None:
    host = ScriptedHost([card("tiny", max_context_tokens=512)])
    asking = llm(host, context="off")
    with pytest.raises(ContextTooLong):
        asking.invoke("word " * 2000)

    assert asking.why() is not None
