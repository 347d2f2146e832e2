"""Files of conversations, and files that are none."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from unit_tests.testing.bench.context.talks import talk, write_talks

from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.testing.bench.context import read_chats


def test_plain_and_packed_files_read_alike(tmp_path: Path) -> None:
    plain = write_talks(tmp_path / "a.jsonl", talk(), talk())
    (packed := tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(plain.read_bytes()))

    assert read_chats(plain) == read_chats(packed)
    assert [len(one.turns) for one in read_chats(plain)] == [60, 60]


def test_questions_that_no_turn_answers_are_left_out(tmp_path: Path) -> None:
    [chat] = read_chats(write_talks(tmp_path / "a.jsonl", talk()))

    assert [(one.category, one.evidence) for one in chat.questions] == [("4", (1,)), ("1", (4,))]


def test_user_and_assistant_have_no_names(tmp_path: Path) -> None:
    [chat] = read_chats(write_talks(tmp_path / "a.jsonl", talk()))

    first, second = chat.messages()[:2]
    assert first == HumanMessage(str(first.text), additional_kwargs={"date": "May"})
    assert isinstance(second, AIMessage)
    assert second.name is None


def test_of_two_people_the_first_is_the_user(tmp_path: Path) -> None:
    [chat] = read_chats(write_talks(tmp_path / "a.jsonl", talk(who=("Ada", "Bo"))))

    first, second = chat.messages()[:2]
    assert (first.type, first.name) == ("human", "Ada")
    assert (second.type, second.name) == ("ai", "Bo")


def test_an_assistant_that_begins_is_not_the_user(tmp_path: Path) -> None:
    [chat] = read_chats(write_talks(tmp_path / "a.jsonl", talk(who=("assistant", "Ada"))))

    assert [one.type for one in chat.messages()[:2]] == ["ai", "human"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"turns": "none"}, "`turns` is no list"),
        ({"turns": [{"who": "user"}]}, "`text` is 'None', no text"),
        ({"qs": [{"q": "Who?", "cat": 1, "ev": [99]}]}, "question 1: there is no turn 99"),
        ({"qs": [{"q": "Who?", "cat": 1, "ev": [True]}]}, "there is no turn True"),
        ({"qs": [{"q": "Who?", "cat": 1, "ev": []}]}, "`ev` names no turn"),
        ({"qs": [{"cat": 1, "ev": [0]}]}, "`q` is 'None', no text"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, change: dict[str, Any], told: str
) -> None:
    file = write_talks(tmp_path / "a.jsonl", talk(), talk() | change)

    with pytest.raises(InvalidRequest) as caught:
        read_chats(file)
    assert f"{file}, line 2" in str(caught.value)
    assert told in str(caught.value)
    assert "Write {" in str(caught.value)


def test_files_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    (broken := tmp_path / "a.gz").write_bytes(gzip.compress(b"{}" * 99)[:-9])
    (other := tmp_path / "a.jsonl").write_text("a,b\n")
    silent = write_talks(tmp_path / "b.jsonl", talk() | {"qs": []})

    for file, told in (
        (tmp_path / "none", "no file"),
        (broken, "cannot be unpacked"),
        (other, "line 1: that is no JSON object"),
        (silent, "no question"),
    ):
        with pytest.raises(InvalidRequest, match=told):
            read_chats(file)


def test_other_line_ends_within_a_text_end_no_line(tmp_path: Path) -> None:
    said = talk()
    said["turns"][0]["text"] = "one\u2028two"
    file = tmp_path / "a.jsonl"
    file.write_text(json.dumps(said, ensure_ascii=False) + "\n", encoding="utf-8")

    assert read_chats(file)[0].turns[0].text == "one\u2028two"
