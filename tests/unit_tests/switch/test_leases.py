"""Who is using which loaded model."""

from langchain_lmswitch.switch.leases import Leases


def test_leased_until_the_last_call_releases() -> None:
    leases = Leases()
    assert leases.take("a", "call-1")
    assert leases.take("a", "call-2")

    assert leases.release("call-1")
    assert leases.held("a")
    assert leases.release("call-2")
    assert not leases.held("a")


def test_release_is_safe_to_repeat() -> None:
    leases = Leases()
    leases.take("a", "call-1")
    leases.take("a", "call-2")
    leases.release("call-1")

    assert not leases.release("call-1")
    assert not leases.release("never seen")
    assert leases.held("a")


def test_take_is_safe_to_repeat() -> None:
    leases = Leases()
    assert leases.take("a", "call")
    assert leases.take("a", "call")
    leases.release("call")

    assert not leases.held("a")


def test_one_call_may_lease_several() -> None:
    leases = Leases()
    leases.take("a", "call")
    leases.take("b", "call")
    leases.release("call")

    assert not leases.held("a")
    assert not leases.held("b")


def test_what_is_leaving_cannot_be_leased() -> None:
    leases = Leases()
    assert leases.start_leaving({"a", "b"})
    assert leases.leaving("a")
    assert not leases.take("a", "call")
    assert not leases.held("a")

    leases.stop_leaving({"a", "b"})
    assert not leases.leaving("a")
    assert leases.take("a", "call")


def test_what_is_leased_cannot_leave_nor_those_beside_it() -> None:
    leases = Leases()
    leases.take("a", "call")

    assert not leases.start_leaving({"a", "b"})
    assert leases.take("b", "call")


def test_nothing_may_leave_at_any_time() -> None:
    """A load without victims."""
    leases = Leases()
    leases.take("a", "call")

    assert leases.start_leaving(set())


def test_which_call_holds_it() -> None:
    leases = Leases()
    leases.take("a", "call")

    assert leases.holds("a", "call")
    assert not leases.holds("a", "other")
    assert not leases.holds("b", "call")


def test_departures_count_the_marks_taken_back() -> None:
    leases = Leases()
    leases.start_leaving({"a", "b"})
    assert leases.departures == 0

    leases.stop_leaving({"a", "b"})
    assert leases.departures == 2
