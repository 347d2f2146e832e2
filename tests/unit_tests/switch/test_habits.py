"""What the switchboard remembers of who was best and what is new."""

from langchain_lmswitch.switch.habits import Habits


def test_what_was_loaded_is_new_for_three_requests() -> None:
    habits = Habits(clock=lambda: 0.0)
    habits.note_load("b")
    habits.note_request("a")
    habits.note_load("a")
    seen = [habits.fresh()]
    for _ in range(3):
        habits.note_request("a")
        seen.append(habits.fresh())

    assert seen == [("a", "b"), ("a", "b"), ("a",), ()]


def test_what_was_loaded_is_new_for_a_minute() -> None:
    now_s = 0.0
    habits = Habits(clock=lambda: now_s)
    habits.note_load("a")
    now_s = 59.0
    assert habits.fresh() == ("a",)
    now_s = 60.0
    assert habits.fresh() == ()


def test_request_of_which_nobody_is_best_interrupts_no_run() -> None:
    habits = Habits()
    for best in ("a", "", "a"):
        habits.note_request(best)

    assert (habits.runs.best, habits.runs.length) == ("a", 2)
