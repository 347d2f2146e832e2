"""Trying what little is known of."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.exploring import curiosity
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.tasks import Features


def expected(spread: float = 0.1, *, grades: float = 0.0) -> dict[str, Expected]:
    return {
        key: Expected(quality=quality, prior=0.5, spread=spread, grades=grades)
        for key, quality in (("a", 0.5), ("b", 0.47), ("c", 0.6))
    }


def tried(share: float, known: Mapping[str, Expected]) -> float:
    """Tell how often the second best of two is chosen."""
    count = 0
    for at in range(400):
        points = curiosity(Features(vector=(at,)), known, resident={"a", "b"}, share=share)
        count += 0.47 + points.get("b", 0.0) > 0.5 + points.get("a", 0.0)
    return count / 400


def test_off_gives_no_points() -> None:
    assert curiosity(Features(), expected(), resident={"a", "b"}, share=0.0) == {}


def test_one_alone_gives_no_points() -> None:
    """There is nothing to choose from."""
    assert curiosity(Features(), expected(), resident={"a"}, share=1.0) == {}


def test_the_share_tells_how_often() -> None:
    assert 0 < tried(0.5, expected()) < tried(1.0, expected()) < 0.5


def test_what_is_known_well_is_seldom_tried() -> None:
    assert tried(1.0, expected(0.01)) < 0.02 < tried(1.0, expected(0.1))


def test_a_grade_makes_a_new_draw() -> None:
    """The same question is not bound to the same model for ever."""
    draws = {
        tuple(
            curiosity(
                Features(), expected(grades=grades), resident={"a", "b", "c"}, share=1.0
            ).items()
        )
        for grades in range(10)
    }

    assert len(draws) > 5


@given(
    st.sets(st.sampled_from("abcx")),
    st.floats(0, 3),
    st.floats(0, 1),
    st.lists(st.integers(-127, 127)).map(tuple),
)
def test_points_are_few_and_for_residents_only(
    resident: set[str], share: float, spread: float, vector: tuple[int, ...]
) -> None:
    words = Features(vector=vector)

    points = curiosity(words, expected(spread), resident=resident, share=share)

    assert set(points) <= resident & {"a", "b", "c"}
    assert all(0 <= one <= 0.1 for one in points.values())
    assert points == curiosity(words, expected(spread), resident=resident, share=share)
