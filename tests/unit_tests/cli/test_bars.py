"""Memory as bars: every byte has its place, whatever is known and however wide the screen is."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.cli.bars import (
    Bar,
    Part,
    cells,
    drawn,
    legend,
    letter,
    memory_bars,
)
from langchain_lmswitch.types.history import Share
from langchain_lmswitch.types.machine import UNKNOWN_MACHINE, Gpu, Snapshot

GIB = 2**30


def share(key: str, *, ram_bytes: int = 0, vram_bytes: int = 0) -> Share:
    return Share(key=key, identifier=key, ram_bytes=ram_bytes, vram_bytes=vram_bytes)


MACHINE = Snapshot(ram_total_bytes=16 * GIB, ram_free_bytes=8 * GIB, gpus=())
HELD = [share("small", ram_bytes=GIB), share("big", ram_bytes=4 * GIB)]


def gpu(name: str, *, used: float, total: int = 24, unified: bool = False) -> Gpu:
    free_bytes = round((total - used) * GIB)
    return Gpu(name=name, total_bytes=total * GIB, free_bytes=free_bytes, unified=unified)


def words(bar: Bar) -> str:
    return "\n".join(line.plain for line in legend(bar))


def test_bar_shows_models_others_free_and_headroom() -> None:
    (bar,) = memory_bars(MACHINE, HELD, headroom_bytes=2 * GIB)

    assert drawn(bar, 16).plain == "AB███▒▒▒·····|··"
    assert bar.other_bytes == 3 * GIB
    assert words(bar) == (
        "8.0 GiB free of 16.0 GiB (this machine), | 2.0 GiB to stay free\n"
        "A small 1.0 GiB, B big 4.0 GiB, others 3.0 GiB"
    )


def test_terminal_without_unicode_gets_ascii() -> None:
    (bar,) = memory_bars(MACHINE, HELD)

    assert drawn(bar, 16, plain=True).plain == "AB===###........"


def test_container_limit_is_named() -> None:
    (bar,) = memory_bars(replace(MACHINE, limited_by="container"), [])

    assert words(bar).startswith("8.0 GiB free of 16.0 GiB (the limit of this container)")


def test_mapped_weights_count_as_free_and_are_shown_all_the_same() -> None:
    """The system calls them available: models may hold more than is in use."""
    (bar,) = memory_bars(replace(MACHINE, ram_free_bytes=15 * GIB), HELD)

    assert bar.other_bytes == 0
    assert drawn(bar, 16).plain == "AB███···········"


def test_each_gpu_has_a_bar_and_models_are_spread_as_its_used_memory_is() -> None:
    machine = replace(MACHINE, gpus=(gpu("first", used=12), gpu("second", used=4)))

    ram, first, second = memory_bars(machine, [share("big", vram_bytes=8 * GIB)])

    assert ram.parts == ()
    assert [one.bytes for one in first.parts] == [6 * GIB]
    assert [one.bytes for one in second.parts] == [2 * GIB]
    assert (first.name, second.name) == ("GPU 0", "GPU 1")
    assert words(second) == "20.0 GiB free of 24.0 GiB (second)\nA big 2.0 GiB, others 2.0 GiB"


def test_gpu_with_a_part_of_main_memory_has_no_bar_of_its_own() -> None:
    machine = replace(MACHINE, gpus=(gpu("shared", used=2, unified=True),))

    assert [one.name for one in memory_bars(machine, HELD)] == ["RAM"]


def test_unknown_memory_is_called_unknown_and_its_models_are_told() -> None:
    (bar,) = memory_bars(UNKNOWN_MACHINE, HELD, headroom_bytes=GIB)

    assert words(bar) == "unknown (another computer)\nA small 1.0 GiB, B big 4.0 GiB"
    assert drawn(bar, 16).plain == "unknown"


def test_gpu_that_does_not_tell_what_is_free_is_half_known() -> None:
    machine = replace(MACHINE, gpus=(Gpu(name="mute", total_bytes=24 * GIB, free_bytes=None),))

    _, bar = memory_bars(machine, [share("big", vram_bytes=GIB)])

    assert bar.other_bytes is None
    assert words(bar) == "unknown free of 24.0 GiB (mute)\nA big 1.0 GiB"


def test_budget_is_a_bar_too() -> None:
    _, bar = memory_bars(replace(MACHINE, budget_bytes=6 * GIB), HELD)

    assert bar.name == "budget"
    assert words(bar).startswith("1.0 GiB free of 6.0 GiB (LMSWITCH_BUDGET_BYTES)")


def test_every_model_has_a_letter() -> None:
    assert [letter(number) for number in (0, 25, 26, 51, 52)] == ["A", "Z", "a", "z", "*"]


@given(
    held=st.lists(st.integers(1, 40 * GIB), max_size=8),
    total=st.integers(GIB, 200 * GIB),
    free_share=st.floats(0, 1),
    width=st.integers(12, 80),
)
def test_cells_fill_the_bar_and_nothing_that_is_there_is_left_out(
    held: list[int], total: int, free_share: float, width: int
) -> None:
    parts = [Part(letter=letter(n), name="m", bytes=size) for n, size in enumerate(held)]
    bar = Bar(
        name="RAM",
        total_bytes=total,
        free_bytes=round(total * free_share),
        parts=tuple(parts),
        headroom_bytes=total // 10,
    )

    runs = cells(bar, width)

    assert sum(count for *_, count in runs) == width
    assert all(count > 0 for *_, count in runs)
    assert [number for kind, number, _ in runs if kind == "model"] == list(range(len(held)))
    assert len(drawn(bar, width).plain) == width
