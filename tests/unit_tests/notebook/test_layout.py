"""What a timeline shows, before anything is drawn."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit_tests.notebook.pasts import BEGUN_S, GIB, answer, long_day, share, swap

from langchain_lmswitch.notebook.axis import CUT_WIDTH, MOST_CUTS, Axis, axis
from langchain_lmswitch.notebook.bands import Panel
from langchain_lmswitch.notebook.lanes import MOST_LANES, Lane
from langchain_lmswitch.notebook.layout import Layout, happenings, layout
from langchain_lmswitch.types.history import LoadSpan, MemorySample, Occupancy, Past


def laid_out(past: Past, last_s: float | None = None) -> Layout:
    found = layout(past, last_s)
    assert found is not None
    return found


def lane_of(past: Past, key: str) -> Lane:
    return next(lane for lane in laid_out(past).lanes if lane.key == key)


def only_panel(past: Past) -> Panel:
    [panel] = laid_out(past).panels
    return panel


def heights(panel: Panel, at_s: float) -> dict[str, float]:
    """Give what each model holds at a moment, in GiB."""
    at = max(n for n, time_s in enumerate(panel.times_s) if time_s <= BEGUN_S + at_s)
    return {band.key: band.heights[at] / GIB for band in panel.bands if band.heights[at]}


def test_nothing_is_laid_out_where_nothing_happened() -> None:
    assert layout(Past(host="here", now_s=BEGUN_S)) is None
    measured = MemorySample(at_s=BEGUN_S, ram_total_bytes=GIB)
    assert layout(Past(host="here", now_s=BEGUN_S, samples=(measured,))) is None


def test_each_model_has_a_lane_and_the_first_one_is_on_top() -> None:
    assert [lane.key for lane in laid_out(swap()).lanes] == ["coder", "talker"]


def test_a_lane_has_what_a_model_did() -> None:
    talker = lane_of(swap(), "talker")
    assert [(one.kind, one.start_s - BEGUN_S, one.end_s - BEGUN_S) for one in talker.bars] == [
        ("wait", 8, 10),
        ("load", 10, 13),
        ("resident", 13, pytest.approx(20.0)),
        ("answer", 13, 15),
        ("answer", 16, 19),
    ]
    [mark] = lane_of(swap(), "coder").marks
    assert (mark.at_s - BEGUN_S, mark.label) == (10, "evicted")


def test_what_is_under_way_reaches_to_now() -> None:
    past = swap()
    past = replace(past, answers=(*past.answers, answer("talker", 19.5, None)))
    bars = lane_of(past, "talker").bars
    assert max(bar.end_s for bar in bars if bar.kind == "answer") == past.now_s


def test_answers_at_the_same_time_lie_below_one_another() -> None:
    past = replace(swap(), answers=(answer("coder", 4, 8), answer("coder", 5, 9)))
    coder = lane_of(past, "coder")
    assert (coder.rows, [bar.row for bar in coder.bars if bar.kind == "answer"]) == (2, [0, 1])


def test_the_last_seconds_leave_out_what_was_over_before() -> None:
    seen = laid_out(swap(), last_s=8)
    assert seen.axis.from_s >= BEGUN_S + 12
    assert [lane.key for lane in seen.lanes] == ["talker"]
    assert [bar.start_s - BEGUN_S for bar in seen.lanes[0].bars if bar.kind == "load"] == [12]


def test_models_stand_against_the_whole_memory_if_they_hold_much_of_it() -> None:
    past = swap(ram_total_bytes=4 * GIB)
    panel = only_panel(replace(past, samples=tuple(_free(one, 2) for one in past.samples)))
    assert (panel.name, panel.limit_bytes, panel.limit_name) == ("RAM", 4 * GIB, "")
    at = panel.times_s.index(BEGUN_S + 4)
    assert panel.others[at] == GIB  # two of four are free, and the model holds one
    assert heights(panel, 5) == {"coder": 1.0}
    assert heights(panel, 11) == {}
    assert heights(panel, 14) == {"talker": 0.5}


def _free(sample: MemorySample, gib: int) -> MemorySample:
    return replace(sample, ram_free_bytes=gib * GIB)


def test_small_models_are_drawn_alone_and_the_rest_is_said() -> None:
    panel = only_panel(swap(ram_total_bytes=64 * GIB))
    assert (panel.limit_bytes, panel.others) == (None, ())
    assert panel.note == "5.0 GiB free of 64.0 GiB"


def test_a_budget_is_what_models_stand_against() -> None:
    panel = only_panel(swap(budget_bytes=2 * GIB))
    assert (panel.name, panel.limit_bytes, panel.limit_name) == ("memory", 2 * GIB, "budget")
    assert panel.top_bytes > 2 * GIB


def test_unknown_memory_is_not_taken_for_none() -> None:
    past = swap(ram_total_bytes=4 * GIB)
    blind = replace(past.samples[1], ram_free_bytes=None)
    panel = only_panel(replace(past, samples=(past.samples[0], blind, *past.samples[2:])))
    assert panel.others == ()
    assert only_panel(replace(past, samples=())).note == ""


def test_accelerators_have_a_panel_of_their_own() -> None:
    past = swap(vram_total_bytes=4 * GIB, vram_free_bytes=3 * GIB)
    there = Occupancy(at_s=BEGUN_S + 4, shares=(share("coder", 0.2, vram_gib=0.8),))
    load = replace(past.loads[0], expected_vram_bytes=GIB // 2)
    vram, ram = laid_out(replace(past, occupancies=(there,), loads=(load,))).panels
    assert (vram.name, ram.name) == ("VRAM", "RAM")
    assert heights(vram, 5) == {"coder": pytest.approx(0.8)}
    assert heights(ram, 5) == {"coder": pytest.approx(0.2)}
    assert [one.height_bytes for one in vram.coming] == [GIB // 2]


def test_a_memory_in_which_no_model_was_is_not_drawn() -> None:
    past = swap(vram_total_bytes=4 * GIB, vram_free_bytes=3 * GIB)
    assert [panel.name for panel in laid_out(past).panels] == ["RAM"]


def test_a_load_is_expected_on_top_of_what_is_there() -> None:
    panel = only_panel(swap(budget_bytes=2 * GIB))
    assert [(one.key, one.bottom_bytes, one.height_bytes) for one in panel.coming] == [
        ("coder", 0, GIB),
        ("talker", 0, GIB // 2),
    ]
    crowded = replace(swap(budget_bytes=2 * GIB), occupancies=swap().occupancies[:1])
    assert [one.bottom_bytes for one in only_panel(crowded).coming] == [0, GIB]


def test_a_long_silence_is_cut_and_says_how_long_it_was() -> None:
    past = swap()
    late = replace(past, now_s=BEGUN_S + 3000, answers=(*past.answers, answer("coder", 2990, 2999)))
    [cut] = laid_out(late).axis.cuts
    assert cut.right - cut.left == pytest.approx(CUT_WIDTH)
    assert cut.to_s - cut.from_s == pytest.approx(2971, rel=0.01)  # less a little at its ends
    assert laid_out(swap()).axis.cuts == ()


def test_nothing_is_said_of_what_is_yet_to_come() -> None:
    shown = laid_out(swap())
    assert shown.axis.to_s > BEGUN_S + 20
    ends = [bar.end_s for lane in shown.lanes for bar in lane.bars]
    assert max(*ends, *shown.panels[0].times_s) == BEGUN_S + 20


def test_many_models_and_hours_keep_to_the_lanes_there_are() -> None:
    seen = laid_out(long_day(20, 5))
    assert len(seen.lanes) == MOST_LANES
    assert len(seen.axis.cuts) <= MOST_CUTS


def test_what_happened_is_in_order() -> None:
    told = happenings(swap())
    assert [type(one).__name__ for one in told] == [
        "LoadSpan",
        "AnswerSpan",
        "WaitSpan",
        "LoadSpan",
        "Departure",
        "AnswerSpan",
        "AnswerSpan",
    ]
    assert isinstance(told[0], LoadSpan)


SPANS = st.lists(
    st.tuples(st.floats(0, 5000), st.floats(0, 60)).map(lambda one: (one[0], one[0] + one[1])),
    max_size=30,
)


@settings(max_examples=40)
@given(busy=SPANS)
def test_time_only_goes_forward_and_fills_the_width(busy: list[tuple[float, float]]) -> None:
    time = axis(busy, from_s=-10.0, to_s=5100.0)
    assert time.stretches[0].left == 0
    assert time.stretches[-1].right == pytest.approx(1)
    assert (time.from_s, time.to_s) == (-10.0, 5100.0)
    for before, after in pairwise(time.stretches):
        assert before.to_s == after.from_s
        assert before.right == pytest.approx(after.left)
    xs = [time.x(float(at_s)) for at_s in range(-20, 5200, 7)]
    assert xs == sorted(xs)
    assert all(0 <= x <= 1 + 1e-9 for x in xs)


@settings(max_examples=40)
@given(busy=SPANS, least_apart=st.floats(0.05, 0.3))
def test_ticks_keep_apart_and_are_in_no_cut(
    busy: list[tuple[float, float]], least_apart: float
) -> None:
    time = axis(busy, from_s=0.0, to_s=5100.0)
    ticks = list(time.ticks(least_apart=least_apart, origin_s=0.0))
    for before, after in pairwise(ticks):
        assert time.x(after) - time.x(before) >= least_apart - 1e-9
    assert not any(cut.from_s < at_s < cut.to_s for cut in time.cuts for at_s in ticks)


def test_an_axis_without_length_still_has_places() -> None:
    time: Axis = axis([], from_s=5.0, to_s=5.0)
    assert time.x(5.0) == 0.0
