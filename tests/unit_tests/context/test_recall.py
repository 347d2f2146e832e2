"""Recall: what a question needs comes first, and what nobody needs stays away."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from langchain_lmswitch.context.packing import pack
from langchain_lmswitch.context.recall import (
    Hit,
    Query,
    Segment,
    from_plain,
    search,
    segment,
    wants_recall,
)
from langchain_lmswitch.context.units import Unit, parted

CHAT = (
    ("Mira", "I adopted a greyhound called Bolt from the shelter."),
    ("Jon", "How lovely! Is he settling in?"),
    ("Mira", "He sleeps on the sofa all day."),
    ("Jon", "My sourdough starter died again."),
    ("Mira", "Try rye flour, it saved mine."),
    ("Jon", "I signed up for the marathon in Lisbon."),
    ("Mira", "Amazing, when is it?"),
    ("Jon", "On the third of October."),
)
FILLER = [("Jon" if at % 2 else "Mira", f"Nothing new at work, item {at}.") for at in range(40)]


def people(said: Sequence[tuple[str, str]]) -> tuple[Unit, ...]:
    kinds: dict[str, type[BaseMessage]] = {"Mira": HumanMessage, "Jon": AIMessage}
    return parted([kinds[who](content=text, name=who) for who, text in said]).units


def cut(units: Sequence[Unit], size: int = 4) -> list[tuple[int, Segment]]:
    return [(at, segment(bytes([at]), units[at : at + size])) for at in range(0, len(units), size)]


def asked(units: Sequence[Unit], text: str, before: str = "", **options: Any) -> list[Hit]:
    return search(Query(text=text, before=before), cut(units), **options)


def test_the_passage_with_the_rare_words_comes_first() -> None:
    units = people([*FILLER, *CHAT, *FILLER])
    best = asked(units, "What is the dog from the shelter called?")[0]
    assert best.text == CHAT[0][1]
    assert best.unit == len(FILLER)
    assert "shelter" in best.why


def test_the_answer_comes_along_with_the_turns_before_it() -> None:
    units = people([*FILLER, *CHAT, *FILLER])
    hits = asked(units, "When does Jon run the marathon?")
    assert CHAT[7][1] in [hit.text for hit in hits[:4]]
    assert next(hit for hit in hits if hit.text == CHAT[7][1]).why == ("near",)


def test_turns_of_the_person_asked_about_come_first() -> None:
    said = [("Mira", "Our kitchen needs new tiles."), *FILLER, ("Jon", "The kitchen needs tiles.")]
    assert asked(people(said), "What does Mira say about kitchen tiles?")[0].unit == 0
    assert asked(people(said), "What does Jon say about kitchen tiles?")[0].unit == len(said) - 1


def test_the_scores_do_not_depend_on_how_the_chat_was_cut() -> None:
    units = people([*FILLER, *CHAT])
    query = Query(text="Which flour saved the starter?")
    assert search(query, cut(units, 3)) == search(query, cut(units, 11))


def test_a_short_question_is_understood_by_the_one_before() -> None:
    units = people([*FILLER, *CHAT, *FILLER])
    hits = asked(units, "And where is that?", before="Tell me about Jon's marathon.")
    assert hits[0].text == CHAT[5][1]
    assert asked(units, "And where is that?") == []


def user_chat() -> tuple[Unit, ...]:
    return parted(
        [
            AIMessage("A budget tracker often uses a sqlite database for its budget."),
            HumanMessage("My budget tracker uses postgres."),
            *(AIMessage(f"Noted, number {at}.") for at in range(20)),
            HumanMessage("From now on, always answer in bullet points."),
        ]
    ).units


def test_what_the_user_said_and_wants_comes_before_what_was_answered() -> None:
    question = "Which database has the budget tracker?"
    hits = asked(user_chat(), question)
    assert hits[0].text == "My budget tracker uses postgres."
    assert any("bullet points" in hit.text for hit in hits)
    plain = asked(user_chat(), question, priors=False)
    assert plain[0].text.startswith("A budget tracker often")
    assert not any("bullet points" in hit.text for hit in plain)


def test_a_role_is_no_name() -> None:
    said = ["The user table has nine columns.", "The weather is fine.", "A chair and a table."]
    hits = asked(parted([AIMessage(one) for one in said]).units, "How is the user table made?")
    assert hits[0].text == said[0]
    assert hits[0].why == ("user", "table")


def test_a_long_message_is_recalled_in_passages_that_stand_in_it() -> None:
    text = "Nothing to see in this line of the log at all.\n" * 60
    text += "The vault code is 7421.\n" + "And nothing to see in the rest of it either.\n" * 60
    hits = asked(parted([HumanMessage(text)]).units, "What is the vault code?")
    assert "7421" in hits[0].text
    assert hits[0].text in text
    assert text[hits[0].start :].startswith(hits[0].text)
    assert len(hits[0].text) < len(text) / 4


def tool_units() -> tuple[Unit, ...]:
    call = {"name": "find_invoice", "args": {"customer": "Brockmann"}, "id": "1"}
    return parted(
        [
            HumanMessage("Look it up."),
            AIMessage("", tool_calls=[call]),
            ToolMessage("Overdue since March: 4,310 euros.", tool_call_id="1"),
        ]
    ).units


def matching(hits: Sequence[Hit]) -> list[Hit]:
    return [hit for hit in hits if "near" not in hit.why]


def test_results_and_arguments_of_tools_are_found() -> None:
    [result] = matching(asked(tool_units(), "Which amount is overdue?"))
    assert (result.text, result.message, result.call) == (
        "Overdue since March: 4,310 euros.",
        1,
        False,
    )
    [call] = matching(asked(tool_units(), "Was it Brockmann?"))
    assert call.call
    assert "Brockmann" in call.text


def test_vectors_find_what_shares_no_word() -> None:
    units = people([*FILLER, *CHAT, *FILLER])
    question = "Does anyone keep a pet?"
    texts = [passage.text for _, one in cut(units) for passage in one.passages]
    alike = [1.0 if text == CHAT[0][1] else 0.2 for text in texts]
    assert CHAT[0][1] not in [hit.text for hit in asked(units, question)]
    hits = asked(units, question, alike=alike)
    assert (hits[0].text, hits[0].why) == (CHAT[0][1], ("vector",))
    assert not any("vector" in hit.why for hit in hits[1:])


def test_a_segment_is_kept_without_its_texts() -> None:
    for units in (people(CHAT), user_chat(), tool_units()):
        made = segment(b"\x01", units)
        kept = json.dumps(made.to_plain())
        assert from_plain(json.loads(kept), units) == made
        assert "shelter." not in kept
        assert "bullet points" not in kept


@pytest.mark.parametrize(
    "spoiled", [{}, {"format": 0}, {"format": 1}, {"format": 1, "digest": "x", "spans": [[9]]}]
)
def test_a_segment_of_another_version_is_indexed_anew(spoiled: dict[str, Any]) -> None:
    assert from_plain(spoiled, people(CHAT)) is None


def test_nothing_said_or_asked_finds_nothing() -> None:
    assert search(Query(text="hello"), []) == []
    assert asked(people(CHAT), "") == []
    assert asked(parted([HumanMessage("")]).units, "hello") == []


def tokens(hit: Hit) -> int:
    return len(hit.text.split())


def test_the_best_that_fit_are_packed_in_the_order_of_time() -> None:
    hits = [
        Hit(9, 0, "a b c", 1.0),
        Hit(2, 0, "d e f g h", 0.9),
        Hit(4, 1, "i", 0.8),
        Hit(4, 0, "j", 0.7),
        Hit(1, 0, "k", 0.01),
    ]
    packed = pack(hits, budget_tokens=6, tokens_of=tokens)
    assert [(hit.unit, hit.part) for hit in packed] == [(4, 0), (4, 1), (9, 0)]
    assert pack(hits, budget_tokens=0, tokens_of=tokens) == ()
    assert pack([], budget_tokens=9, tokens_of=tokens) == ()


def test_what_hardly_matches_is_left_out_however_much_room_there_is() -> None:
    hits = [Hit(1, 0, "a", 1.0), Hit(2, 0, "b", 0.01)]
    assert pack(hits, budget_tokens=100, tokens_of=tokens) == (hits[0],)


@pytest.mark.parametrize(
    "text",
    [
        "When does my sprint end",
        "I forgot. What was the code?",
        "Tell me about the dog.",
        "Please summarize our plan.",
        "As I said, the database",
        "Wann war das Treffen",
        "Et tu te souviens du restaurant",
        "¿Dónde vive?",
        "Где она живёт",
        "周敏什么时候离开银行",
        "駅前の店を教えて",
        "هل تتذكر؟",
    ],
)
def test_questions_and_requests_want_recall(text: str) -> None:
    assert wants_recall(text) == 1.0


def test_reactions_want_little_and_statements_some() -> None:
    for text in (
        "Thanks!",
        "Have a great time!",
        "Can't wait!",
        "Wow, that's great!",
        "Danke dir",
        "哈哈",
        "",
    ):
        assert wants_recall(text) < 0.2
    told = "The meeting with the landlord went badly; nobody mends the broken heating."
    assert 0.2 < wants_recall(told) < 0.5
