"""Who leaves: each rule by example, and what holds for every set of idle models."""

import random
from collections.abc import Sequence
from itertools import chain, combinations

from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy import eviction
from langchain_lmswitch.policy.eviction import Absentee, Occupant, victims
from langchain_lmswitch.types.models import Resident


def idle(key: str, size: int, *, loss_s: float = 0.0, used_s: float | None = None) -> Occupant:
    resident = Resident(key=key, identifier=f"id-{key}", last_used_s=used_s)
    return Occupant(resident=resident, bytes=size, loss_s=loss_s)


def leaving(
    candidates: Sequence[Occupant],
    short_bytes: int,
    absent: Sequence[Absentee] = (),
    *,
    doubt: float = 0.0,
) -> list[str]:
    chosen = victims(candidates, short_bytes, absent=absent, doubt=doubt)
    return [one.resident.key for one in chosen]


def test_the_least_loss_leaves_however_large_it_is() -> None:
    assert leaving([idle("small", 5, loss_s=2.0), idle("large", 50, loss_s=1.0)], 4) == ["large"]


def test_two_that_are_seldom_wanted_before_one_that_is_often() -> None:
    candidates = [idle("often", 8, loss_s=1.0), idle("a", 4, loss_s=0.3), idle("b", 4, loss_s=0.3)]

    assert leaving(candidates, 8) == ["a", "b"]


def test_nobody_leaves_if_all_do_not_suffice_or_nothing_is_short() -> None:
    assert leaving([idle("a", 4), idle("b", 4)], 9) == []
    assert leaving([idle("a", 4), idle("b", 4)], 0) == []
    assert leaving([], 1) == []


def test_of_equal_losses_the_one_that_frees_least_then_the_oldest_then_by_identifier() -> None:
    assert leaving([idle("more", 9, used_s=1.0), idle("less", 8, used_s=2.0)], 7) == ["less"]
    assert leaving([idle("later", 8, used_s=2.0), idle("older", 8, used_s=1.0)], 7) == ["older"]
    assert leaving([idle("b", 8, used_s=1.0), idle("a", 8, used_s=1.0)], 7) == ["a"]


def test_in_doubt_the_one_used_longest_ago_leaves_if_it_costs_hardly_more() -> None:
    candidates = [
        idle("now", 5, loss_s=1.0, used_s=9.0),
        idle("lately", 5, loss_s=1.2, used_s=5.0),
        idle("long ago", 5, loss_s=1.6, used_s=1.0),
    ]

    assert leaving(candidates, 4) == ["now"]
    assert leaving(candidates, 4, doubt=0.3) == ["lately"]
    assert leaving(candidates, 4, doubt=0.7) == ["long ago"]


def test_doubt_spares_who_was_used_last_whoever_leaves_besides() -> None:
    candidates = [
        idle("now", 9, loss_s=1.0, used_s=9.0),
        idle("then", 5, loss_s=0.6, used_s=2.0),
        idle("before", 5, loss_s=0.6, used_s=1.0),
    ]

    assert leaving(candidates, 8, doubt=0.1) == ["now"]
    assert leaving(candidates, 8, doubt=0.25) == ["before", "then"]


def test_doubt_does_not_matter_where_it_is_unknown_when_they_were_used() -> None:
    candidates = [idle("a", 5, loss_s=1.2), idle("b", 5, loss_s=1.0, used_s=9.0)]

    assert leaving(candidates, 4, doubt=1.0) == ["b"]


def test_giant_leaves_when_its_room_is_worth_more_than_it_is() -> None:
    """A dwarf costs less than the giant, but there is room for none of the others then."""
    candidates = [idle("giant", 20, loss_s=0.7), idle("dwarf", 2, loss_s=0.3)]
    dwarfs = [Absentee(key="other", bytes=2, gain_s=0.3) for _ in range(5)]

    assert leaving(candidates, 2) == ["dwarf"]
    assert leaving(candidates, 2, dwarfs) == ["giant"]
    assert leaving(candidates, 2, [Absentee(key="other", bytes=19, gain_s=9.0)]) == ["dwarf"]


def test_room_is_worth_what_fits_it_together_with_the_rest() -> None:
    candidates = [idle("giant", 20, loss_s=0.7), idle("dwarf", 10, loss_s=0.1)]
    two = [Absentee(key="other", bytes=10, gain_s=0.4), Absentee(key="next", bytes=9, gain_s=0.4)]

    assert leaving(candidates, 10, two) == ["dwarf"]


def test_of_many_the_least_loss_for_each_byte_leaves() -> None:
    many = [idle(f"m{n:02}", 10, loss_s=1.0 + n) for n in range(12)]

    assert leaving(many, 25) == ["m00", "m01", "m02"]


def test_of_many_one_that_suffices_alone_may_be_better() -> None:
    """Two of the others would leave, for a little more."""
    many = [idle(f"m{n:02}", 7, loss_s=0.7) for n in range(11)]

    assert leaving([*many, idle("one", 10, loss_s=1.2)], 10) == ["one"]


def test_of_many_a_large_one_is_no_reason_to_overlook_the_small() -> None:
    """A byte of `large` is cheaper than one of `small`; all of it is not."""
    kept = [idle(f"m{n:02}", 1, loss_s=9.0) for n in range(10)]
    wanted = [idle("tiny", 1), idle("large", 100, loss_s=50.0), idle("small", 9, loss_s=9.0)]

    assert leaving([*kept, *wanted], 10) == ["tiny", "small"]


# --- for every set of idle models -------------------------------------------------------------

SIZES = st.integers(0, 900)
LOSSES = st.sampled_from([0.0, 0.0, 0.1, 0.5, 2.0]) | st.floats(0, 10)


@st.composite
def crowds(draw: st.DrawFn, most: int = 14) -> list[Occupant]:
    names = st.sampled_from([f"m{n:02}" for n in range(20)])
    keys = draw(st.lists(names, unique=True, max_size=most))
    used = st.none() | st.integers(0, 5).map(float)
    return [idle(key, draw(SIZES), loss_s=draw(LOSSES), used_s=draw(used)) for key in keys]


ABSENT = st.lists(st.builds(Absentee, bytes=SIZES, gain_s=LOSSES), max_size=5)
DOUBTS = st.sampled_from([0.0, 1.0]) | st.floats(0, 1)


@given(crowds(), st.integers(1, 4000), ABSENT, DOUBTS)
def test_they_suffice_whenever_all_would_and_nobody_leaves_in_vain(
    crowd: list[Occupant], short_bytes: int, absent: list[Absentee], doubt: float
) -> None:
    chosen = victims(crowd, short_bytes, absent=absent, doubt=doubt)

    assert bool(chosen) == (sum(one.bytes for one in crowd) >= short_bytes)
    assert set(chosen) <= set(crowd)
    freed = sum(one.bytes for one in chosen)
    assert not chosen or freed >= short_bytes
    assert all(freed - one.bytes < short_bytes for one in chosen)


@given(crowds(), st.integers(1, 4000), ABSENT, DOUBTS, st.randoms(use_true_random=False))
def test_the_order_they_are_listed_in_does_not_matter(
    crowd: list[Occupant],
    short_bytes: int,
    absent: list[Absentee],
    doubt: float,
    dice: random.Random,
) -> None:
    mixed = list(crowd)
    dice.shuffle(mixed)

    first, again = (
        victims(order, short_bytes, absent=absent, doubt=doubt) for order in (crowd, mixed)
    )
    assert first == again


@given(crowds(most=8), st.integers(1, 3000), DOUBTS)
def test_doubt_costs_no_more_than_its_share(
    crowd: list[Occupant], short_bytes: int, doubt: float
) -> None:
    least = _loss(victims(crowd, short_bytes))

    assert _loss(victims(crowd, short_bytes, doubt=doubt)) <= (1 + doubt) * least + 1e-8


@given(crowds(most=8), st.integers(1, 3000))
def test_no_set_that_suffices_costs_less(crowd: list[Occupant], short_bytes: int) -> None:
    """Against all sets there are, also those with members that leave in vain."""
    every = chain.from_iterable(combinations(crowd, count) for count in range(1, len(crowd) + 1))
    enough = [one for one in every if sum(member.bytes for member in one) >= short_bytes]
    least = min((_loss(one) for one in enough), default=0.0)

    assert _loss(victims(crowd, short_bytes)) <= least + 1e-8


@given(crowds(most=10), st.integers(1, 3000))
def test_greedy_is_never_more_than_twice_the_best(crowd: list[Occupant], short_bytes: int) -> None:
    """What is done with more than ten, held against all sets of up to ten."""
    ranked = sorted(crowd, key=eviction._oldest_first)
    greedy = eviction._some_sets(ranked, short_bytes)
    best = _loss(victims(crowd, short_bytes))

    assert bool(greedy) == bool(victims(crowd, short_bytes))
    assert min(map(_loss, greedy), default=0.0) <= 2 * best + 1e-8


def _loss(chosen: Sequence[Occupant]) -> float:
    return sum(one.loss_s for one in chosen)
