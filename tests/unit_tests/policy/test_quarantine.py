"""What did not fit is left alone, longer each time."""

from langchain_lmswitch.policy.quarantine import Quarantine, prolong


def after(failures: int) -> Quarantine:
    found = prolong(None, now_s=1000.0, reason="out of memory")
    for _ in range(failures - 1):
        found = prolong(found, now_s=1000.0, reason="out of memory")
    return found


def test_doubles_from_a_minute_to_half_an_hour() -> None:
    lengths_s = [after(failures).left_s(1000.0) for failures in range(1, 8)]

    assert lengths_s == [60, 120, 240, 480, 960, 1800, 1800]


def test_length_has_a_limit_however_many() -> None:
    found = Quarantine(failures=10**6, until_s=0.0, reason="")

    assert prolong(found, now_s=0.0, reason="").until_s == 1800


def test_ends_by_itself_and_is_remembered() -> None:
    found = after(1)

    assert found.left_s(1059.0) == 1.0
    assert found.left_s(1060.0) == 0.0
    assert found.left_s(5000.0) == 0.0
    assert prolong(found, now_s=5000.0, reason="again").until_s == 5120.0


def test_keeps_the_last_reason() -> None:
    again = prolong(after(1), now_s=2000.0, reason="crashed")

    assert (again.failures, again.reason) == (2, "crashed")
