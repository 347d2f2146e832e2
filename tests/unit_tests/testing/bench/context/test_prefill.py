"""What a server has to read of one prompt after the other."""

from langchain_core.messages import AIMessage, HumanMessage

from langchain_lmswitch.testing.bench.context.counters import Estimate
from langchain_lmswitch.testing.bench.context.driving import Driver
from langchain_lmswitch.testing.bench.context.prefill import Reader, replayed, shared_chars


def test_only_what_is_new_is_read() -> None:
    reader = Reader(Estimate())
    said = [HumanMessage("one two three")]
    reader.read(said)
    first = reader.tokens
    reader.read([*said, AIMessage("four five")])

    assert reader.tokens - first == Estimate().counts(["assistant: four five"])[0]


def test_another_beginning_is_read_again_as_a_whole() -> None:
    reader = Reader(Estimate())
    reader.read([HumanMessage("one two three")])
    first = reader.tokens
    reader.read([HumanMessage("zero two three")])

    assert reader.tokens - first == first - 2, "the role is the same"


def test_a_word_that_goes_on_otherwise_is_read_from_its_start() -> None:
    assert shared_chars("he said ther", "he said there") == len("he said ")
    assert shared_chars("same", "same") == 0
    assert shared_chars("", "new") == 0
    assert shared_chars("日本語", "日本人") == 2


def test_a_conversation_that_fits_costs_the_same_whoever_manages_it() -> None:
    said = [kind(f"Line {at}.") for at in range(10) for kind in (HumanMessage, AIMessage)]

    found = replayed(said, 10_000, Driver(counter=Estimate()))

    assert found.turns == 10
    assert found.ours == found.dropping
    assert found.compactions == 0


def test_dropping_the_oldest_reads_everything_each_time_and_we_do_not() -> None:
    said = [
        kind(f"Line {at} tells of weather, of soup, of trains and of number {at * 7919}.")
        for at in range(80)
        for kind in (HumanMessage, AIMessage)
    ]

    found = replayed(said, 700, Driver(counter=Estimate()))

    assert found.compactions > 0
    assert found.dropping > 0.7 * 700 * (found.turns - 20)
    assert found.ours < found.dropping
