"""Hard needs: who lacks one is never chosen, whatever else speaks for it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.errors import ModelDenied
from langchain_lmswitch.policy.deciding import AUTO, ChoiceFacts, Offer, decide
from langchain_lmswitch.policy.needs import lacking
from langchain_lmswitch.policy.planning import Survey
from langchain_lmswitch.policy.wishes import matches
from langchain_lmswitch.testing import FixedMachine, card
from langchain_lmswitch.types.machine import Footprint
from langchain_lmswitch.types.models import LoadSpec, ModelCard
from langchain_lmswitch.types.tasks import Hints, Needs, Role, Task


@pytest.mark.parametrize(("trained_tokens", "lacks"), [(4096, False), (4095, True), (0, False)])
def test_context_that_a_model_was_trained_for(trained_tokens: int, lacks: bool) -> None:  # noqa: FBT001
    """Too little is a lack; unknown is none."""
    found = lacking(
        card("a", max_context_tokens=trained_tokens), Needs(context_tokens=4096), Hints()
    )

    assert bool(found) is lacks


@pytest.mark.parametrize(
    ("needs", "hints", "verdict"),
    [
        (Needs(), Hints(), ()),
        (Needs(structure=True, tools=True), Hints(), ()),
        (Needs(vision=True), Hints(), ("cannot see images",)),
        (Needs(), Hints(deny=("*chat",)), ("you deny '*chat'",)),
        (Needs(), Hints(allow=("coder", "vl")), ("you allow 'coder', 'vl' only",)),
        (Needs(), Hints(allow=("tiny",), require=("tiny",)), ()),
        (Needs(), Hints(require=("vision",)), ("lacks 'vision', which you require",)),
    ],
)
def test_verdicts(needs: Needs, hints: Hints, verdict: tuple[str, ...]) -> None:
    assert lacking(card("tiny-chat"), needs, hints) == verdict


@pytest.mark.parametrize(
    "key", ["qwen3-0.6b-draft", "llama-3.1-eagle3", "nomic-embed-text-v1.5", "bge-m3", "x-reranker"]
)
def test_who_cannot_answer_is_not_asked(key: str) -> None:
    [why] = lacking(card(key), Needs(), Hints())

    assert why.endswith("does not answer")


@pytest.mark.parametrize("key", ["eagle-7b-chat", "draftsman-7b", "llama-guard-3-8b", "gte-"])
def test_who_might_is(key: str) -> None:
    """It may be all that the user has."""
    assert bool(lacking(card(key), Needs(), Hints())) is (key == "gte-")


KEYS = [
    "qwen2.5-coder-7b",
    "gemma-3-4b-it",
    "llama-3-70b",
    "smollm2-135m-draft",
    "vl-2b",
    "xlam-1b",
]
WISHES = st.lists(
    st.sampled_from([*KEYS, "*b", "*-?b*", "vl", "vision", "tools", "nobody", "qwen"]), max_size=2
).map(tuple)
CARDS = st.lists(
    st.builds(
        card,
        st.sampled_from(KEYS),
        max_context_tokens=st.sampled_from([0, 2048, 32768]),
        vision=st.booleans(),
        tool_use=st.booleans(),
        size_bytes=st.integers(1, 40 * 2**30),
    ),
    unique_by=lambda one: one.key,
    max_size=6,
)
NEEDS = st.builds(
    Needs,
    vision=st.booleans(),
    tools=st.booleans(),
    structure=st.booleans(),
    context_tokens=st.sampled_from([0, 1000, 4000, 100_000]),
)
HINTS = st.builds(
    Hints,
    quality=st.floats(0, 1),
    prefer=WISHES,
    require=WISHES,
    allow=WISHES,
    deny=WISHES,
    roles=st.lists(
        st.builds(
            Role, models=st.sampled_from(KEYS), task=st.just("chat"), score=st.none() | st.just(1.0)
        ),
        max_size=2,
    ).map(tuple),
    last_model=st.sampled_from(["", *KEYS]),
    in_tool_loop=st.booleans(),
)


def facts(cards: list[ModelCard], task: Task, model: str) -> ChoiceFacts:
    """Facts of a machine with room for everything."""
    footprint = Footprint(weights_bytes=1, kv_bytes=0, source="ledger")
    return ChoiceFacts(
        task=task,
        cards=tuple(cards),
        survey=Survey(occupants=(), snapshot=FixedMachine().now),
        model=model,
        offers={one.key: Offer(spec=LoadSpec(key=one.key), footprint=footprint) for one in cards},
    )


@given(CARDS, NEEDS, HINTS)
def test_needs_are_never_violated(cards: list[ModelCard], needs: Needs, hints: Hints) -> None:
    """Whoever is chosen can do it and may; whoever can and may is not left out."""
    task = Task(kind="chat", confidence=1, evidence="", needs=needs, hints=hints)
    chosen = decide(facts(cards, task, AUTO)).choice.key
    able = {one.key for one in cards if can(one, needs) and may(one, hints)}

    assert chosen in able if able else chosen is None


@given(CARDS.filter(bool), NEEDS, HINTS, st.data())
def test_not_even_by_name(
    cards: list[ModelCard], needs: Needs, hints: Hints, data: st.DataObject
) -> None:
    named = data.draw(st.sampled_from(cards))
    task = Task(
        kind="chat", confidence=1, evidence="", needs=needs, hints=replace(hints, require=())
    )
    asked = facts(cards, task, named.key)
    denied = any(matches(named, wish) for wish in hints.deny)
    if denied or (hints.allow and not any(matches(named, wish) for wish in hints.allow)):
        with pytest.raises(ModelDenied):
            decide(asked)
    else:
        assert decide(asked).choice.key == (named.key if can(named, needs) else None)


def can(one: ModelCard, needs: Needs) -> bool:
    """Say it anew, in other words than the code."""
    sees = one.vision or not needs.vision
    holds = not 0 < one.max_context_tokens < needs.context_tokens
    return sees and holds and "draft" not in one.key


def may(one: ModelCard, hints: Hints) -> bool:
    abilities = {"vision": one.vision, "tools": one.tool_use}
    wanted = [abilities[wish] for wish in hints.require if wish in abilities]
    models = [wish for wish in hints.require if wish not in abilities]
    return (
        all(wanted)
        and (not models or any(matches(one, wish) for wish in models))
        and (not hints.allow or any(matches(one, wish) for wish in hints.allow))
        and not any(matches(one, wish) for wish in hints.deny)
    )
