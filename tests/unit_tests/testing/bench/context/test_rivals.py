"""What others would send."""

from langchain_lmswitch.testing.bench.context.rivals import Lexicon, Sizes, recalled, window

SIZES = Sizes(tokens=[10, 10, 10, 10, 10], budget_tokens=30)


def test_window_is_the_last_messages_that_fit() -> None:
    assert window(SIZES) == [2, 3, 4]
    assert window(Sizes(tokens=[5, 50, 5], budget_tokens=30)) == [2]
    assert window(Sizes(tokens=[50], budget_tokens=30)) == []


def test_recall_takes_the_best_that_fit_beside_the_last_messages() -> None:
    assert recalled(SIZES, [1, 0, 4], recent_tokens=15) == [0, 1, 4]
    assert recalled(SIZES, [4], recent_tokens=15) == [4]


def test_rare_words_count_more_than_common_ones_and_case_does_not() -> None:
    found = Lexicon(["the boat", "the heron and the boat", "soup", "The BOAT"])

    assert found.ranked("Heron?") == [1]
    assert found.ranked("the heron")[0] == 1
    assert found.ranked("boat")[-1] == 1, "a longer message says less about it"
    assert found.ranked("nothing") == []
