"""What counts as being there."""

import pytest

from langchain_lmswitch.testing.bench.context.marks import Mark, credit, marked, plain

LONG, LONGER = "The heron nests behind the old mill.", "Nobody had seen it there since the spring."


def test_white_space_does_not_count() -> None:
    prompt = plain(f"user: Hello\n{LONG}\n  {LONGER}\n")

    assert credit(f"{LONG}\n{LONGER}", prompt) == 1.0


def test_sentences_count_by_their_characters() -> None:
    assert credit(f"{LONG} {LONGER}", LONGER) == pytest.approx(
        len(LONGER) / (len(LONG) + len(LONGER))
    )


def test_short_sentences_count_only_as_the_whole_turn() -> None:
    assert credit("Yes. Of course.", "Yes. No. Of course.") == 0.0
    assert credit("Yes. Of course.", "user: Yes. Of course.") == 1.0


def test_marks_are_summed_up_question_by_question() -> None:
    found = marked(
        [
            Mark(category="b", credits=(1.0, 0.0), over=True, ratio=9.0),
            Mark(category="a", credits=(0.99, 1.0), over=False, ratio=11.0),
        ]
    )

    assert found.evidence_recall == pytest.approx((0.5 + 0.995) / 2)
    assert (found.all_evidence, found.over_budget, found.n, found.K) == (0.5, 1, 2, 10.0)
    assert [*found.by_category] == ["a", "b"]
