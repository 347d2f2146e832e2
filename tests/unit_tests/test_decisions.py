"""LangChain's decision model over our classifier, alone and in LangChain's own middleware."""

import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain.agents import create_agent
from langchain_core.decisions import Box, Choice, Noul, NoulCriteria, Score
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_lmswitch import ChatLMSwitch, LMSwitchDecisionModel
from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.testing import ScriptedHost, card, in_turn, tool_call

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from langchain.agents.middleware import ModelChoice, ModelRouterMiddleware

ROOT = Path(__file__).parents[2]
CODE = "Write a python function that reverses a string."
POEM = "Write a poem about the sea."
ROUTES = Choice(
    instructions="Which model?", criteria={"coder": "Code and debugging.", "other": None}
)


def chosen(state: Any, question: Choice = ROUTES, **fields: Any) -> str:
    request: Any = {"state": state, "questions": {"route": question}}
    return LMSwitchDecisionModel(**fields).invoke(request).choices["route"].choice


def llm(*keys: str, **more: Any) -> ChatLMSwitch:
    host = ScriptedHost([card(key, params="7B") for key in keys or ("tiny",)], **more)
    return ChatLMSwitch(host=host, monitor=host)


def middleware(**more: Any) -> Any:
    """LangChain's middleware, whose models are two hosts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it is in beta
        return ModelRouterMiddleware(
            choices={
                "coder": ModelChoice(
                    model=llm("their-coder", **more), criteria="Code and debugging."
                ),
                "other": ModelChoice(model=llm("their-chat", **more), criteria="Everything else."),
            },
            instructions="Choose the model that suits the request.",
            classifier=LMSwitchDecisionModel(),
        )


def models(state: Any) -> list[str]:
    answers = [one for one in state["messages"] if isinstance(one, AIMessage)]
    return [one.response_metadata["lmswitch"]["model"] for one in answers]


@pytest.mark.parametrize(("text", "model"), [(CODE, "their-coder"), (POEM, "their-chat")])
async def test_routes_an_agent_by_langchains_middleware(text: str, model: str) -> None:
    agent: Any = create_agent(llm("never-asked"), middleware=[middleware()])
    asked = {"messages": text}

    assert models(agent.invoke(asked)) == [model]
    state = await agent.ainvoke(asked)
    assert models(state) == [model]
    assert state["model_route"].confidence > 0.3


def test_an_agent_keeps_its_model_through_its_tools() -> None:
    def look(name: str) -> str:
        """Look up a function."""
        return f"def {name}(): ..."

    replies = in_turn(tool_call("look", {"name": "reverse"}), "Done.")
    agent: Any = create_agent(
        llm("never-asked"), tools=[look], middleware=[middleware(replies=replies)]
    )

    assert models(agent.invoke({"messages": CODE})) == ["their-coder"] * 2


@pytest.mark.parametrize(
    "state",
    [
        CODE,
        HumanMessage(CODE),
        [HumanMessage("Hello"), AIMessage("Hello!"), HumanMessage(CODE)],
        {"messages": [SystemMessage("Be brief."), HumanMessage(CODE)]},
        {"ticket": {"title": "Bug", "said": [HumanMessage(CODE)], "open": True, "at": None}},
        [{"text": CODE}],
    ],
)
def test_takes_every_form_of_state(state: Any) -> None:
    assert chosen(state) == "coder"


def test_a_conversation_is_judged_by_its_last_turn() -> None:
    assert chosen([HumanMessage(CODE), AIMessage("Done."), HumanMessage(POEM)]) == "other"


def test_answers_every_kind_of_question_in_one_request() -> None:
    request: Any = {
        "state": CODE,
        "questions": {
            "code": Noul(instructions="Is this about code?"),
            "refund": Noul(instructions="Does this ask for money back?"),
            "poem": Noul(
                instructions="Which is it?", criteria=NoulCriteria(true="A poem", false="Prose")
            ),
            "hard": Score(instructions="How difficult is it?", criteria=["easy", "fair", "hard"]),
            "angry": Score(instructions="How angry?", criteria=["calm", "furious"]),
            "route": ROUTES,
        },
    }
    response = LMSwitchDecisionModel().invoke(request)

    assert response.nouls["code"].noul > 0.5
    assert response.nouls["refund"].noul == 0.5
    assert response.nouls["poem"].noul < 0.3
    assert 0 <= response.scores["hard"].score <= 2
    assert response.scores["hard"].legend == {0: "easy", 1: "fair", 2: "hard"}
    assert (response.scores["angry"].score, response.scores["angry"].confidence) == (0.5, 0)
    assert sum(response.choices["route"].probabilities.values()) == pytest.approx(1)
    assert response.usage is None


def test_a_place_in_an_image_is_not_for_it() -> None:
    request: Any = {"state": "Where?", "questions": {"box": Box(instructions="The cat.")}}
    with pytest.raises(InvalidRequest, match="ask `Box` questions of a decision model that sees"):
        LMSwitchDecisionModel().invoke(request)


# --- with a router ------------------------------------------------------------------------------

KEYS = Choice(instructions="Which model?", criteria={"coder-7b": None, "chat-9b": None})


def host() -> ScriptedHost:
    return ScriptedHost([card("coder-7b", params="7B"), card("chat-9b", params="9B"), "tiny"])


async def test_a_choice_among_models_is_the_routers() -> None:
    one = host()
    router = ChatLMSwitch(host=one, monitor=one).router
    named = Choice(
        instructions="Which model?",
        criteria={"one": {"model": "coder"}, "two": {"model": "chat"}, "three": {"model": "tiny"}},
    )
    asked: Any = {"state": CODE, "questions": {"route": KEYS, "named": named}}
    response = await LMSwitchDecisionModel(router=router).ainvoke(asked)

    assert chosen(CODE, KEYS, router=router) == router.decide(CODE).model == "coder-7b"
    assert chosen("Hello", KEYS, router=router) == router.decide("Hello").model == "chat-9b"
    assert response.choices["named"].choice == "one"
    assert sum(response.choices["named"].probabilities.values()) == pytest.approx(1)


def test_a_model_that_does_not_fit_gets_nothing() -> None:
    big = card("chat-90b", params="90B", size_bytes=2**33)
    one = ScriptedHost([big, card("coder-7b", params="7B")], memory_bytes=2**30)
    question = Choice(instructions="?", criteria={"chat-90b": None, "coder-7b": None})

    assert (
        chosen("Hello", question, router=ChatLMSwitch(host=one, monitor=one).router) == "coder-7b"
    )


@pytest.mark.parametrize("criteria", [{"coder-7b": None, "gpt-5": None}, ROUTES.criteria])
def test_labels_that_are_no_models_are_read(criteria: dict[str, Any]) -> None:
    one = host()
    router = ChatLMSwitch(host=one, monitor=one).router
    first = next(iter(criteria))

    assert chosen(CODE, Choice(instructions="?", criteria=criteria), router=router) == first


def test_without_a_host_the_labels_decide_and_it_is_said(caplog: pytest.LogCaptureFixture) -> None:
    router = ChatLMSwitch(base_url="127.0.0.1:1", max_retries=0).router

    assert chosen(CODE, router=router) == "coder"
    assert "by what the labels say" in caplog.text
    assert CODE not in caplog.text


# --- harm ---------------------------------------------------------------------------------------

STATES = st.recursive(
    st.text() | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@settings(deadline=None, max_examples=50)
@given(STATES)
def test_nothing_that_is_said_makes_it_fail(state: Any) -> None:
    assert chosen(state) in {"coder", "other"}


def test_an_older_langchain_core_is_told_where_it_is_needed_only() -> None:
    """And star imports work all the same."""
    code = (
        "import sys\n"
        "sys.modules['langchain_core.decisions'] = None\n"
        "from langchain_lmswitch import *\n"
        "import langchain_lmswitch\n"
        "assert ChatLMSwitch\n"
        "try:\n"
        "    langchain_lmswitch.LMSwitchDecisionModel\n"
        "except ImportError as error:\n"
        "    print(error)\n"
    )
    done = subprocess.run(  # noqa: S603 - our own code
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.stderr == ""
    assert done.stdout == (
        "langchain-core 1.8 or later is needed. Decision models came with it. "
        "Run: pip install --upgrade 'langchain-core>=1.8'\n"
    )
