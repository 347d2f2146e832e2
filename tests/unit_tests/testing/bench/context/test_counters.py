"""Who counts: an estimate, or a host."""

import asyncio

from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from langchain_lmswitch.testing import ScriptedHost, split
from langchain_lmswitch.testing.bench.context import Estimate, Hosted
from langchain_lmswitch.testing.bench.context.counters import costs
from langchain_lmswitch.testing.tokens import render
from langchain_lmswitch.types.models import LoadSpec

SAID = [
    SystemMessage("Be brief."),
    HumanMessage("Look."),
    AIMessage("", tool_calls=[{"name": "look", "args": {"at": "it"}, "id": "1"}]),
]


def test_estimate_cuts_words_and_counts_other_letters_singly() -> None:
    assert Estimate().counts(["", "a bcdefgh", "12.5", "日本語", "naïve"]) == [0, 3, 4, 3, 3]


def test_estimate_lays_out_roles_and_calls() -> None:
    prompt = Estimate().prompt(SAID)

    assert prompt.startswith("system: Be brief.\nuser: Look.\nassistant: ")
    assert '"look"' in prompt


def test_host_counts_with_the_template_of_the_model() -> None:
    host = ScriptedHost(["tiny"])
    loaded = asyncio.run(host.load(LoadSpec(key="tiny")))
    counter = Hosted(host, loaded.identifier, key="tiny")

    prompt = counter.prompt(SAID[:2])

    assert counter.name == "tiny"
    assert prompt == render(
        [
            {"role": "system", "content": [{"type": "text", "text": "Be brief."}]},
            {"role": "user", "content": [{"type": "text", "text": "Look."}]},
        ]
    )
    assert counter.counts([prompt, "a b"]) == [len(split(prompt)), 2]


def test_a_message_costs_its_text_and_what_stands_around_it() -> None:
    said = [HumanMessage("one two"), AIMessage("three")] * 15

    found = costs(said, Estimate())

    [whole] = Estimate().counts([Estimate().prompt(said)])
    assert whole <= sum(found) <= whole + len(said), (
        "no less than it is, for a role has more letters"
    )
    assert found[0] == found[1] + 1
