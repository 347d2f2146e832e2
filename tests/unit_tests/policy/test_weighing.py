"""What two readings say of the load between them, rule by rule."""

from dataclasses import replace
from typing import Any

import pytest

from langchain_lmswitch.policy.weighing import Taken, observe, taken, vram_taken
from langchain_lmswitch.types.machine import Gpu, Snapshot
from langchain_lmswitch.types.readings import Observation, Peak, Reading, Tree, Unusable

MIB = 2**20
CARD = Gpu(name="A", total_bytes=16_000 * MIB, free_bytes=12_000 * MIB)
OTHER = Gpu(name="B", total_bytes=8_000 * MIB, free_bytes=8_000 * MIB)


def reading(
    resident: int,
    *,
    private: int | None = 200,
    free: int | None = 10_000,
    gpus: tuple[Gpu, ...] | None = (),
    root: int = 7,
    held: int | None = None,
) -> Reading:
    """Write a reading; sizes in MiB."""
    return Reading(
        tree=Tree(
            root=root,
            resident_bytes=resident * MIB,
            private_bytes=None if private is None else private * MIB,
            vram_bytes=None if held is None else held * MIB,
        ),
        snapshot=Snapshot(
            ram_total_bytes=32_000 * MIB,
            ram_free_bytes=None if free is None else free * MIB,
            gpus=gpus,
        ),
    )


BEFORE = reading(300)
AFTER = reading(6_300, private=1_300, free=8_900)
"""A model of 5,000 MiB, mapped, and a cache of 1,000 MiB."""
NOBODY = replace(AFTER, tree=None)


def seen(before: Reading, after: Reading, **options: Any) -> Observation | Unusable:
    return observe(before, after, **{"size_bytes": 5_000 * MIB, "overlapped": False, **options})


def why(before: Reading, after: Reading, **options: Any) -> str:
    told = seen(before, after, **options)
    assert isinstance(told, Unusable)
    return told.reason


def test_growth_of_the_processes_is_what_it_took_though_much_counts_as_free() -> None:
    told = seen(BEFORE, AFTER)

    assert told == Observation(ram_bytes=6_000 * MIB, vram_bytes=0)
    assert isinstance(told, Observation)
    assert told.total_bytes == 6_000 * MIB


def test_gpus_are_summed_by_what_each_has_less() -> None:
    before = reading(300, gpus=(CARD, OTHER))
    fuller = replace(CARD, free_bytes=8_000 * MIB), replace(OTHER, free_bytes=7_000 * MIB)
    after = reading(900, private=800, free=9_400, gpus=fuller)

    assert seen(before, after) == Observation(ram_bytes=600 * MIB, vram_bytes=5_000 * MIB)
    assert vram_taken(before.snapshot, after.snapshot) == (4_000 * MIB, 1_000 * MIB)


def test_1_overlap() -> None:
    assert "meanwhile" in why(BEFORE, AFTER, overlapped=True)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(replace(BEFORE, tree=None), AFTER, id="not found before"),
        pytest.param(BEFORE, NOBODY, id="not found after"),
        pytest.param(BEFORE, reading(6_300, private=1_300, free=8_900, root=8), id="another one"),
    ],
)
def test_2_processes(before: Reading, after: Reading) -> None:
    assert "processes" in why(before, after)


@pytest.mark.parametrize(
    ("gpus_before", "gpus_after"),
    [
        pytest.param(None, (), id="unknown whether there are any"),
        pytest.param((replace(CARD, free_bytes=None),), (CARD,), id="unknown before"),
        pytest.param((CARD,), (replace(CARD, free_bytes=None),), id="unknown after"),
        pytest.param((CARD,), (CARD, OTHER), id="one came"),
        pytest.param((replace(CARD, unified=True),), (CARD,), id="a part of main memory"),
    ],
)
def test_3_gpus(gpus_before: tuple[Gpu, ...] | None, gpus_after: tuple[Gpu, ...] | None) -> None:
    before = reading(300, gpus=gpus_before)
    after = reading(6_300, private=1_300, free=8_900, gpus=gpus_after)

    assert "GPU" in why(before, after)


@pytest.mark.parametrize(
    ("private", "free", "usable"),
    [
        pytest.param(1_300, 8_900, True, id="all of what was taken is ours"),
        pytest.param(1_300, 8_900 - 255, True, id="others took a little"),
        pytest.param(1_300, 8_900 - 257, False, id="others took more"),
        pytest.param(1_300, 8_900 + 255, True, id="others gave a little back"),
        pytest.param(1_300, 8_900 + 257, False, id="others gave more back"),
        pytest.param(1_300, None, True, id="what is free is unknown"),
        pytest.param(None, 10_000, True, id="all may be mapped, where it is not told"),
        pytest.param(None, 4_000, True, id="nothing may be mapped, where it is not told"),
        pytest.param(None, 3_743, False, id="more than all of ours"),
        pytest.param(None, 10_257, False, id="less than nothing"),
    ],
)
def test_4_others_in_main_memory(private: int | None, free: int | None, *, usable: bool) -> None:
    before = reading(300, private=None if private is None else 200)
    after = reading(6_300, private=private, free=free)

    assert isinstance(seen(before, after), Observation) is usable


def test_4_others_on_a_gpu() -> None:
    """One gave memory back while the load took it on another."""
    before = reading(300, gpus=(CARD, OTHER))
    moved = replace(CARD, free_bytes=12_257 * MIB), replace(OTHER, free_bytes=MIB)
    after = reading(900, private=800, free=9_400, gpus=moved)

    assert "other programs" in why(before, after)


@pytest.mark.parametrize(
    ("taken_mib", "before_mib", "after_mib", "usable"),
    [
        pytest.param(2_575, None, 2_566, True, id="ours, in a new process"),
        pytest.param(2_048, 518, 2_566, True, id="ours"),
        pytest.param(2_248, 518, 2_566, True, id="others took a little"),
        pytest.param(3_596, 518, 2_566, False, id="others took more"),
        pytest.param(500, 518, 2_566, False, id="others gave back more"),
        pytest.param(3_596, None, None, True, id="it is not told whose it is"),
    ],
)
def test_4_others_on_a_gpu_that_tells_whose_its_memory_is(
    taken_mib: int, before_mib: int | None, after_mib: int | None, *, usable: bool
) -> None:
    """As an H200 told it; a process is 9 MiB more to what is free than to the driver."""
    fuller = replace(CARD, free_bytes=(12_000 - taken_mib) * MIB)
    before = reading(300, gpus=(CARD,), held=before_mib)
    after = reading(450, private=220, free=9_846, gpus=(fuller,), held=after_mib)

    assert isinstance(seen(before, after, size_bytes=MIB), Observation) is usable


@pytest.mark.parametrize(
    ("private", "free_less", "usable"),
    [
        pytest.param(579, 743, True, id="all layers"),
        pytest.param(3_113, 3_241, True, id="16 of 33"),
        pytest.param(579, 579 + 464, True, id="others took a little"),
        pytest.param(579, 579 + 465, False, id="others took more"),
        pytest.param(579, 579 - 257, False, id="others gave back more"),
    ],
)
def test_4_a_driver_takes_main_memory_for_itself(
    private: int, free_less: int, *, usable: bool
) -> None:
    """A model of 4,570 MiB on an H200 that was read without mapping it."""
    fuller = replace(CARD, free_bytes=6_173 * MIB)
    before = reading(300, gpus=(CARD,))
    after = reading(
        300 + private + 148, private=200 + private, free=10_000 - free_less, gpus=(fuller,)
    )

    assert isinstance(seen(before, after), Observation) is usable


@pytest.mark.parametrize(
    ("resident", "size_mib", "usable"),
    [
        pytest.param(300, 0, False, id="nothing, of unknown size"),
        pytest.param(290, 0, False, id="less than before"),
        pytest.param(301, 0, True, id="something, of unknown size"),
        pytest.param(300 + 2_500, 5_000, False, id="half of the file"),
        pytest.param(300 + 2_501, 5_000, True, id="more than half of the file"),
    ],
)
def test_5_growth(resident: int, size_mib: int, *, usable: bool) -> None:
    told = seen(BEFORE, reading(resident), size_bytes=size_mib * MIB)

    assert isinstance(told, Observation) is usable


# --- with a peak ------------------------------------------------------------------------------

BY_CPU = Observation(ram_bytes=6_000 * MIB, vram_bytes=0)
H200 = Observation(ram_bytes=725 * MIB, vram_bytes=5_827 * MIB)
"""A model of 4,570 MiB whose layers were all laid on the GPU, from a mapped file."""
UNSEEN = Unusable(reason="other programs")


def peak(ram_mib: int | None, vram_mib: int | None = None) -> Peak:
    ram_bytes, vram_bytes = (None if one is None else one * MIB for one in (ram_mib, vram_mib))
    return Peak(ram_bytes=ram_bytes, vram_bytes=vram_bytes)


@pytest.mark.parametrize(
    ("peak", "seen", "gpus", "expected"),
    [
        pytest.param(peak(6_100), BY_CPU, (CARD,), (6_100, 0, 6_100), id="the peak"),
        pytest.param(peak(None), BY_CPU, (CARD,), (6_000, 0, 6_000), id="no peak in RAM"),
        pytest.param(None, BY_CPU, (CARD,), (6_000, 0, 6_000), id="no peak"),
        pytest.param(peak(4_857, 5_818), H200, (CARD,), (725, 5_818, 6_543), id="on a GPU"),
        pytest.param(peak(4_857), H200, (CARD,), (725, 5_827, 6_552), id="by its free part"),
        pytest.param(None, H200, (CARD,), (725, 5_827, 6_552), id="on a GPU, no peak"),
        pytest.param(
            peak(4_857, 5_818), UNSEEN, (CARD,), (None, 5_818, None), id="the file may be in it"
        ),
        pytest.param(peak(6_100), UNSEEN, (CARD,), (6_100, None, None), id="GPU unknown"),
        pytest.param(peak(6_100), UNSEEN, None, (6_100, None, None), id="unknown if there is any"),
        pytest.param(peak(6_100), UNSEEN, (), (6_100, 0, 6_100), id="none"),
        pytest.param(None, UNSEEN, (), (None, 0, None), id="nothing measured"),
        pytest.param(peak(2_500), UNSEEN, (), (None, None, None), id="half of the file"),
        pytest.param(peak(2_501), UNSEEN, (), (2_501, 0, 2_501), id="more than half of it"),
    ],
)
def test_taken(
    peak: Peak | None,
    seen: Observation | Unusable,
    gpus: tuple[Gpu, ...] | None,
    expected: tuple[int | None, int | None, int | None],
) -> None:
    found = taken(peak, seen, gpus, size_bytes=5_000 * MIB, overlapped=False)

    sizes = (found.ram_bytes, found.vram_bytes, found.total_bytes)
    assert tuple(None if one is None else one // MIB for one in sizes) == expected


def test_nothing_is_known_of_a_load_that_something_overlapped() -> None:
    told = taken(peak(4_857, 5_818), H200, (CARD,), size_bytes=5_000 * MIB, overlapped=True)

    assert told == Taken()
