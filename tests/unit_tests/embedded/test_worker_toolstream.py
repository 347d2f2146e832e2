import json
from collections.abc import Sequence
from itertools import count, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.embedded.worker.toolgrammar import call_text
from langchain_lmswitch.embedded.worker.toolstream import ToolEvent, ToolStream
from langchain_lmswitch.types.events import (
    Fragment,
    ToolCallArguments,
    ToolCallEnded,
    ToolCallFailed,
    ToolCallStarted,
)

NAMES = {"add", "look up", 'quo"te'}

# Everything a Python string can hold but half of a surrogate pair, which JSON text may not carry.
texts = st.text(st.characters(exclude_categories=["Cs"]))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
arguments = st.dictionaries(texts, values, max_size=3)
calls = st.lists(st.tuples(st.sampled_from(sorted(NAMES)), arguments), min_size=1, max_size=3)


def read(pieces: Sequence[str], *, must_call: bool = False) -> list[ToolEvent]:
    ids = count()
    stream = ToolStream(NAMES, new_id=lambda: f"id{next(ids)}", must_call=must_call)
    events = [event for piece in pieces for event in stream.feed(Fragment(text=piece))]
    return [*events, *stream.close()]


def cut(text: str, cuts: Sequence[int]) -> list[str]:
    """Split `text` at `cuts`, wherever they fall."""
    places = sorted({0, len(text), *(place % (len(text) + 1) for place in cuts)})
    return [text[start:end] for start, end in pairwise(places)]


def words(events: Sequence[ToolEvent]) -> str:
    return "".join(event.text for event in events if isinstance(event, Fragment))


def ended(events: Sequence[ToolEvent]) -> list[tuple[str, Any]]:
    return [(event.name, event.arguments) for event in events if isinstance(event, ToolCallEnded)]


@given(calls, st.lists(st.integers(min_value=0), max_size=30))
def test_calls_read_the_same_however_they_are_cut(
    made: list[tuple[str, dict[str, Any]]], cuts: list[int]
) -> None:
    text = "\n".join(call_text(name, args) for name, args in made)

    events = read(cut(text, cuts))

    assert ended(events) == made
    assert words(events) == ""
    for index, (_, args) in enumerate(made):
        pieces = [
            event.text
            for event in events
            if isinstance(event, ToolCallArguments) and event.index == index
        ]
        assert json.loads("".join(pieces)) == args


@given(texts.filter(lambda text: not text.lstrip().startswith("{")), st.lists(st.integers(0)))
def test_words_arrive_unchanged_however_they_are_cut(text: str, cuts: list[int]) -> None:
    events = read(cut(text, cuts))

    assert words(events) == (text if text.strip() else "")
    assert all(isinstance(event, Fragment) for event in events)


@given(calls, st.integers(min_value=1))
def test_a_cut_off_answer_never_raises_and_loses_no_complete_call(
    made: list[tuple[str, dict[str, Any]]], length: int
) -> None:
    text = "\n".join(call_text(name, args) for name, args in made)

    found = ended(read([text[: length % len(text)]]))

    assert found == made[: len(found)]


@given(st.dictionaries(texts, values, max_size=4), st.lists(st.integers(min_value=0)))
def test_a_structured_answer_beside_tools_is_words(answer: dict[str, Any], cuts: list[int]) -> None:
    text = json.dumps(answer)

    assert words(read(cut(text, cuts))) == text


def test_a_call_starts_before_its_arguments_are_complete() -> None:
    stream = ToolStream(NAMES, new_id=lambda: "id0")

    events = list(stream.feed(Fragment(text='{"name": "add", "arguments": {"a": 1')))

    assert events == [
        ToolCallStarted(index=0, id="id0", name="add"),
        ToolCallArguments(index=0, text='{"a": 1'),
    ]


def test_a_truncated_call_fails_with_its_raw_text() -> None:
    events = read(['{"name": "add", "argum', 'ents": {"a": "x'])

    [failed] = [event for event in events if isinstance(event, ToolCallFailed)]
    assert failed.raw == '{"name": "add", "arguments": {"a": "x'


@pytest.mark.parametrize("text", ["Good morning.", ""])
def test_words_where_a_call_was_due_are_a_failed_call(text: str) -> None:
    events = read([text], must_call=True)

    assert isinstance(events[-1], ToolCallFailed)


def test_an_unknown_tool_is_not_called() -> None:
    text = '{"name": "format_disk", "arguments": {}}'

    assert read([text]) == [Fragment(text=text)]


def test_arguments_that_are_no_object_fail() -> None:
    events = read(['{"name": "add", "arguments": [1]}'])

    assert isinstance(events[-1], ToolCallFailed)


def test_half_a_surrogate_pair_becomes_a_replacement_character() -> None:
    events = read([r'{"name": "add", "arguments": {"a": "\ud83d", "b": "\ud83d\ude00"}}'])

    assert ended(events) == [("add", {"a": "�", "b": "😀"})]


def test_thoughts_pass_through() -> None:
    stream = ToolStream(NAMES, new_id=lambda: "id0")
    thought = Fragment(text='{"name": "add"', reasoning=True)

    assert list(stream.feed(thought)) == [thought]
    assert list(stream.close()) == []
