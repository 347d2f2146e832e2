"""Passages: slices of a message that lose no word, cut where one would cut."""

from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.context.passages import MOST_CHARS, passages_of

SENTENCE = "We walked along the river until the rain began to fall. "


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in passages_of(text)]


def test_a_short_message_is_one_passage() -> None:
    assert pieces("  Hello there.\n\nHow are you? ") == ["Hello there.\n\nHow are you?"]
    assert pieces(" \n ") == []


def test_a_long_message_is_cut_at_the_ends_of_sentences() -> None:
    found = pieces(SENTENCE * 60)
    assert len(found) > 3
    assert all(one.startswith("We") and one.endswith(".") for one in found)
    assert all(len(one) <= MOST_CHARS for one in found)


def test_a_code_block_stays_together() -> None:
    code = "```python\n" + "total = total + 1\n" * 35 + "```"
    found = pieces(SENTENCE * 15 + "\n" + code + "\n" + SENTENCE * 15)
    assert sum(code in one for one in found) == 1


def test_a_code_block_that_is_too_long_is_cut_at_lines() -> None:
    found = pieces("```\n" + "total = total + 1\n" * 400 + "```\n")
    assert len(found) > 5
    assert all(len(one) <= MOST_CHARS for one in found)
    assert all(one.endswith(("+ 1", "```")) for one in found)


def test_chinese_is_cut_at_its_own_full_stops_and_sooner() -> None:
    found = pieces("我们沿着河边走到下雨为止。" * 60)
    assert all(one.endswith("。") for one in found)
    assert all(len(one) <= MOST_CHARS // 3 for one in found)


def test_what_has_no_end_is_cut_all_the_same() -> None:
    found = pieces("x" * 5_000)
    assert "".join(found) == "x" * 5_000
    assert all(len(one) <= MOST_CHARS * 1.5 for one in found)


@given(
    st.text(st.sampled_from("ab .!?\n`。中é"), max_size=4_000).map(
        lambda text: text + "\n```\n" + text * 3
    )
)
def test_passages_are_in_order_and_leave_out_only_space(text: str) -> None:
    spans = passages_of(text)
    assert "".join(text[start:end] for start, end in spans).split() != [] or not text.split()
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(text)]
    assert all(not text[end:start].strip() for end, start in zip(ends, starts, strict=True))
    assert all(start < end for start, end in spans)
