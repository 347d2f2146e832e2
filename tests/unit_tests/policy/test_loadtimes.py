"""How long a load is expected to take."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.experience import Experience
from langchain_lmswitch.policy.loadtimes import guessed_load_s
from langchain_lmswitch.types.loads import Configuration, LoadRecord

GB = 10**9


def made(
    load_s: float, *, key: str = "model", size_bytes: int = 4 * GB, failed: str = ""
) -> LoadRecord:
    asked = Configuration(host="h:1", key=key, size_bytes=size_bytes, context_tokens=8192)
    return LoadRecord(at_s=0.0, configuration=asked, load_s=load_s, failed=failed)


def test_an_unknown_host_is_guessed() -> None:
    assert Experience().load_s("model", 3 * GB) == pytest.approx(guessed_load_s(3 * GB))
    assert guessed_load_s(3 * GB) == pytest.approx(4.0)


def test_a_model_takes_what_it_took_with_the_latest_counting_most() -> None:
    seen = Experience([made(load_s) for load_s in (10.0, 2.0, 2.0)])

    assert seen.load_s("model", 4 * GB) == pytest.approx(2 + 8 * 0.7**2)


def test_a_failed_load_tells_no_time() -> None:
    seen = Experience([made(500.0, failed="no room")])

    assert seen.load_s("model", 3 * GB) == pytest.approx(4.0)


@pytest.mark.parametrize("gb_per_s", [0.2, 0.5, 5.0])
def test_other_models_are_told_by_the_speed_of_the_host(gb_per_s: float) -> None:
    sizes = [1, 2, 4, 8, 12, 20] * 3
    seen = Experience(
        made(1 + size / gb_per_s, key=f"m{size}", size_bytes=size * GB) for size in sizes
    )

    assert seen.load_s("new", 10 * GB) == pytest.approx(1 + 10 / gb_per_s, rel=0.15)


def test_small_models_alone_do_not_tell_how_fast_large_ones_are() -> None:
    """A hundred loads of 100 MB in 0.3 s: 40 GB take neither 0.3 s nor two minutes."""
    seen = Experience(made(0.3, key="tiny", size_bytes=GB // 10) for _ in range(100))

    assert 15 < seen.load_s("new", 40 * GB) < 60


@given(
    st.lists(st.tuples(st.integers(0, 200 * GB), st.floats(0, 3600)), max_size=20),
    st.integers(0, 200 * GB),
    st.integers(0, 200 * GB),
)
def test_times_are_positive_and_grow_with_the_size(
    loads: list[tuple[int, float]], size: int, more: int
) -> None:
    seen = Experience(made(load_s, size_bytes=size) for size, load_s in loads)
    small, large = seen.load_s("new", size), seen.load_s("new", size + more)

    assert 0 <= small <= large
