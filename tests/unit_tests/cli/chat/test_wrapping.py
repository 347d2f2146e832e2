"""Long lines of an answer are broken between words as it streams."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langchain_lmswitch.cli.chat.wrapping import Wrapping


def wrapped(*pieces: str, columns: int = 10) -> str:
    wrapping = Wrapping(columns)
    return "".join([*map(wrapping.feed, pieces), wrapping.end()])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("one two three four", "one two \nthree four"),
        ("0123456789 next", "0123456789\nnext"),
        ("a 0123456789abc b", "a \n0123456789abc\nb"),
        ("one\n\ntwo", "one\n\ntwo"),
        ("ends with\n", "ends with\n"),
        ("日本語 日本語 x", "日本語 \n日本語 x"),
        (
            "```\nx = 1234567890 + 1\n```\none two three",
            "```\nx = 1234567890 + 1\n```\none two \nthree",
        ),
        ("0123456789 \u200bx", "0123456789\n\u200bx"),
        ("0123456789 \u200b", "0123456789\n\u200b"),
        ("| a | b | c | d |\n", "| a | b | c | d |\n"),
    ],
)
def test_lines_break_between_words_and_never_in_code(text: str, shown: str) -> None:
    assert wrapped(text) == shown
    assert wrapped(*text) == shown, "however the tokens are cut"


def test_a_word_is_shown_once_it_is_whole() -> None:
    wrapping = Wrapping(10)

    assert wrapping.feed("Hel") == ""
    assert wrapping.feed("lo wor") == "Hello "
    assert wrapping.end() == "wor"
    assert wrapping.end() == ""


def test_no_width_leaves_all_as_it_is() -> None:
    assert Wrapping(0).feed("a very long line") == "a very long line"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text()), st.integers(1, 30))
def test_no_word_is_lost(pieces: list[str], columns: int) -> None:
    assert wrapped(*pieces, columns=columns).split() == "".join(pieces).split()
