"""An error of ours in LangChain's retries and fallbacks: tried again where that may help."""

import copy
from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn

import pytest
from langchain.agents import create_agent
from langchain.agents.middleware import ModelFallbackMiddleware, ModelRetryMiddleware
from langchain_core.callbacks import BaseCallbackHandler

from langchain_lmswitch import ChatLMSwitch
from langchain_lmswitch.errors import (
    ContextTooLong,
    HostFailed,
    HostLost,
    HostNotFound,
    HostRejected,
    HostTimeout,
    InvalidRequest,
    LMSwitchError,
    LoadFailed,
    ModelGone,
    NoSuitableModel,
    NotEnoughMemory,
    UnknownModel,
)
from langchain_lmswitch.testing import Reply, ScriptedHost, in_turn


class Starts(BaseCallbackHandler):
    """Counts how often a chat model was asked."""

    def __init__(self) -> None:
        self.count = 0

    def on_chat_model_start(self, *_: Any, **__: Any) -> None:
        self.count += 1


def raising(error: LMSwitchError) -> Reply:
    """Reply with an error, as a host whose answer has just begun."""

    def reply(_: Sequence[Any]) -> NoReturn:
        raise copy.copy(error)

    return reply


def llm(cards: Sequence[str] = ("tiny",), **more: Any) -> ChatLMSwitch:
    fields = {name: more.pop(name) for name in ("model", "max_retries") if name in more}
    host = ScriptedHost(cards, **more)
    return ChatLMSwitch(host=host, monitor=host, **{"max_retries": 0, **fields})


def told(error: LMSwitchError) -> Callable[[], ChatLMSwitch]:
    return lambda: llm(replies=raising(error))


BEFORE: Final[dict[str, tuple[Callable[[], ChatLMSwitch], type[LMSwitchError]]]] = {
    "nobody there": (lambda: ChatLMSwitch(base_url="127.0.0.1:1"), HostNotFound),
    "lost": (told(HostLost("h:1", reason="reset")), HostLost),
    "timeout": (told(HostTimeout("h:1", doing="answering", after_s=1)), HostTimeout),
    "rejected": (told(HostRejected("h:1", reason="no such token")), HostRejected),
    "failed": (told(HostFailed("h:1", doing="answering", reason="Hm.")), HostFailed),
    "failed for good": (
        told(HostFailed("h:1", doing="answering", reason="Hm.", retryable=False)),
        HostFailed,
    ),
    "too long": (told(ContextTooLong(tokens=9, limit_tokens=4)), ContextTooLong),
    "invalid": (told(InvalidRequest("Not so.")), InvalidRequest),
    "unknown": (lambda: llm(model="tinny"), UnknownModel),
    "none": (lambda: llm(()), NoSuitableModel),
    "no memory": (lambda: llm(memory_bytes=1), NotEnoughMemory),
    "load": (lambda: llm(fail_load={"tiny": LoadFailed("tiny", reason="Bad magic.")}), LoadFailed),
    "load for memory": (
        lambda: llm(fail_load={"tiny": LoadFailed("tiny", reason="Full.", for_memory=True)}),
        LoadFailed,
    ),
}
"""How to get each error before the first token."""

TRIED_AGAIN: Final = {"nobody there", "lost", "timeout", "failed"}

every_error = pytest.mark.parametrize("case", BEFORE)


def agent_of(model: ChatLMSwitch) -> Any:
    """An agent that tries once more, at once, and then gives up."""
    retry = ModelRetryMiddleware(max_retries=1, initial_delay=0, on_failure="error")
    return create_agent(model, tools=[], middleware=[retry])


# --- retries ----------------------------------------------------------------------------------


@every_error
async def test_middleware_tries_again_exactly_what_may_help(case: str) -> None:
    make, kind = BEFORE[case]
    starts, astarts = Starts(), Starts()
    with pytest.raises(kind):
        agent_of(make()).invoke({"messages": "Hi"}, {"callbacks": [starts]})
    with pytest.raises(kind):
        await agent_of(make()).ainvoke({"messages": "Hi"}, {"callbacks": [astarts]})

    assert starts.count == astarts.count == (2 if case in TRIED_AGAIN else 1)


async def test_middleware_tries_again_after_a_model_was_gone() -> None:
    """In the middle of its answer: before the first token the router itself looks for another."""

    def model() -> ChatLMSwitch:
        return llm(vanish_after={"tiny": [2]}, replies="One two three.")

    one, other = model(), model()
    result = agent_of(one).invoke({"messages": "Hi"})
    aresult = await agent_of(other).ainvoke({"messages": "Hi"})

    assert result["messages"][-1].text == aresult["messages"][-1].text == "One two three."
    assert len(one.host.called("predict")) == len(other.host.called("predict")) == 2


def test_error_takes_the_place_of_the_answer_at_the_end() -> None:
    """As `ModelRetryMiddleware` does unless told otherwise: our message says what to do."""
    model = llm(replies=raising(HostLost("h:1", reason="reset")))
    retry = ModelRetryMiddleware(max_retries=1, initial_delay=0)
    agent: Any = create_agent(model, tools=[], middleware=[retry])
    answer = agent.invoke({"messages": "Hi"})["messages"][-1].text

    assert answer.startswith("Model call failed after 2 attempts with HostLost: The connection")
    assert "`lmswitch status` shows" in answer


async def test_with_retry() -> None:
    lost = raising(HostLost("h:1", reason="reset"))
    model = llm(replies=in_turn(lost, "Fine.", lost, "Fine."))
    patient = model.with_retry(retry_if_exception_type=(HostLost,), wait_exponential_jitter=False)

    assert patient.invoke("Hi").text == "Fine."
    assert (await patient.ainvoke("Hi")).text == "Fine."


def test_own_retries_come_first() -> None:
    """`max_retries` is about a lost connection, and nobody outside sees it."""
    lost = raising(HostLost("h:1", reason="reset"))
    starts = Starts()
    model = llm(replies=in_turn(lost, lost, "Fine."), max_retries=2)

    assert model.invoke("Hi", {"callbacks": [starts]}).text == "Fine."
    assert starts.count == 1


# --- fallbacks --------------------------------------------------------------------------------


@every_error
async def test_fallback_takes_over(case: str) -> None:
    make, _ = BEFORE[case]
    chain = make().with_fallbacks([llm(replies="The other.")])

    assert chain.invoke("Hi").text == "The other."
    assert (await chain.ainvoke("Hi")).text == "The other."


@every_error
async def test_fallback_takes_over_before_the_first_token(case: str) -> None:
    make, _ = BEFORE[case]
    chain = make().with_fallbacks([llm(replies="The other.")])

    assert "".join(chunk.text for chunk in chain.stream("Hi")) == "The other."
    assert "".join([chunk.text async for chunk in chain.astream("Hi")]) == "The other."


async def test_stream_that_has_begun_is_not_begun_again() -> None:
    """The reader has the first half already: the error is told."""
    model = llm(vanish_after={"tiny": 1}, replies="One two.")
    chain = model.with_fallbacks([llm(replies="The other.")])
    stream, astream = chain.stream("Hi"), chain.astream("Hi")

    assert next(stream).text == (await anext(astream)).text == "One"
    with pytest.raises(ModelGone):
        next(stream)
    with pytest.raises(ModelGone):
        await anext(astream)
    assert chain.invoke("Hi").text == "The other."


async def test_fallback_in_an_agent() -> None:
    model, other = llm(()), llm(replies="The other.")
    agent: Any = create_agent(model, tools=[], middleware=[ModelFallbackMiddleware(other)])

    assert agent.invoke({"messages": "Hi"})["messages"][-1].text == "The other."
    result = await agent.ainvoke({"messages": "Hi"})
    assert result["messages"][-1].text == "The other."


def test_fallback_for_some_errors_only() -> None:
    chain = llm(()).with_fallbacks(
        [llm(replies="The other.")], exceptions_to_handle=(NotEnoughMemory,)
    )
    with pytest.raises(NoSuitableModel):
        chain.invoke("Hi")
