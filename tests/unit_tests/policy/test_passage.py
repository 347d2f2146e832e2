"""Mean first passage times, held against chains whose times are known and against walking them."""

import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.passage import passage_steps


def walked(chain: Sequence[Sequence[float]], start: int, goal: int, *, walks: int = 4000) -> float:
    dice = random.Random(7)  # noqa: S311
    states, total = range(len(chain)), 0
    for _ in range(walks):
        here = start
        while True:
            total += 1
            here = dice.choices(states, chain[here])[0]
            if here == goal:
                break
    return total / walks


def test_independent_draws_take_one_in_share_steps() -> None:
    shares = [0.5, 0.3, 0.2]

    steps = passage_steps([shares] * 3, 0, [1 / 3] * 3)
    assert steps == pytest.approx([1 / share for share in shares])


def test_one_state_is_back_at_once() -> None:
    assert passage_steps([[1.0]], 0, [1.0]) == [1.0]


def test_as_walking_the_chain_has_it() -> None:
    chain = [[0.1, 0.6, 0.3], [0.5, 0.2, 0.3], [0.05, 0.05, 0.9]]

    for start in range(3):
        found = passage_steps(chain, start, [0.2, 0.3, 0.5])
        assert found == pytest.approx([walked(chain, start, goal) for goal in range(3)], rel=0.08)


@given(st.data())
def test_one_step_and_then_the_rest(data: st.DataObject) -> None:
    """The times are the ones that solve: one step, and from where it leads the time from there."""
    size = data.draw(st.integers(1, 7))
    rows = st.lists(st.floats(0.01, 1), min_size=size, max_size=size)
    chain = [[value / sum(row) for value in row] for row in (data.draw(rows) for _ in range(size))]
    lean = data.draw(rows)
    lean = [value / sum(lean) for value in lean]

    steps = [passage_steps(chain, start, lean) for start in range(size)]
    for start, row in enumerate(chain):
        for goal in range(size):
            rest = sum(row[by] * steps[by][goal] for by in range(size) if by != goal)
            assert steps[start][goal] == pytest.approx(1 + rest, rel=1e-6)
