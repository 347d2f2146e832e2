"""Which part of a load lies on GPUs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.offload import (
    BACKEND_BYTES,
    fitting,
    gpu_layers,
    offloaded,
    placed,
)
from langchain_lmswitch.types.machine import Footprint, Gpu, Snapshot

MIB = 2**20
CUDA = BACKEND_BYTES["cuda"]
QWEN3_4B = Footprint(
    weights_bytes=2376 * MIB,
    kv_bytes=4608 * MIB,
    compute_bytes=114 * MIB,
    backend_bytes=150 * MIB,
    n_layers=36,
    source="header",
)
"""Q4_K_M with a context of 32,768."""
GUESS = replace(QWEN3_4B, n_layers=0, source="size")


def card(free_mib: int | None, *, unified: bool = False, name: str = "NVIDIA RTX") -> Gpu:
    free_bytes = None if free_mib is None else free_mib * MIB
    return Gpu(name=name, total_bytes=24_000 * MIB, free_bytes=free_bytes, unified=unified)


def machine(*gpus: Gpu) -> Snapshot:
    return Snapshot(ram_total_bytes=64_000 * MIB, ram_free_bytes=32_000 * MIB, gpus=gpus)


def mib(footprint: Footprint) -> tuple[int, int]:
    """Say what lies in VRAM and what in RAM."""
    return round(footprint.vram_bytes / MIB), round(footprint.ram_bytes / MIB)


# --- a share that is given --------------------------------------------------------------------


@pytest.mark.parametrize(("ratio", "layers"), [(0, 0), (0.5, 18), (1, 37), (7, 37), (-1, 0)])
def test_whole_layers_move_and_the_output_is_one_of_them(ratio: float, layers: int) -> None:
    assert gpu_layers(ratio, QWEN3_4B.n_layers) == layers


def test_all_of_a_model_can_move_and_only_the_process_stays() -> None:
    load = offloaded(QWEN3_4B, ratio=1)

    needed = load.weights_bytes + load.kv_bytes + load.compute_bytes
    assert load.vram_bytes == needed + CUDA
    assert load.ram_bytes == 150 * MIB


def test_half_of_the_layers() -> None:
    """18 of 37, the output counted: of 6,984 MiB, and compute and backend all on the GPU."""
    assert mib(offloaded(QWEN3_4B, ratio=0.5)) == (3398 + 114 + 457, 3586 + 150)


def test_nothing_moves_without_a_layer() -> None:
    assert offloaded(QWEN3_4B, ratio=0.01) == QWEN3_4B


def test_a_cache_can_be_kept_back() -> None:
    with_cache, without = (offloaded(QWEN3_4B, ratio=1, cache=one) for one in (True, False))

    assert with_cache.vram_bytes - without.vram_bytes == QWEN3_4B.kv_bytes
    assert with_cache.total_bytes == without.total_bytes


@given(less=st.floats(0, 1), more=st.floats(0, 1))
def test_a_larger_ratio_never_takes_less_of_the_gpu(less: float, more: float) -> None:
    low, high = (offloaded(QWEN3_4B, ratio=ratio) for ratio in sorted((less, more)))

    assert 0 <= low.vram_bytes <= high.vram_bytes <= high.total_bytes


# --- as much as fits --------------------------------------------------------------------------


def test_1_what_the_host_or_the_ledger_says_stands() -> None:
    for source in ("host", "ledger"):
        told = replace(QWEN3_4B, source=source)
        assert placed(told, machine(card(20_000))) == told
    told = replace(QWEN3_4B, vram_bytes=MIB)
    assert placed(told, machine(card(20_000))) == told


@pytest.mark.parametrize("gpus", [(), None])
def test_2_without_gpus_nothing_changes(gpus: tuple[Gpu, ...] | None) -> None:
    assert placed(QWEN3_4B, replace(machine(), gpus=gpus)) == QWEN3_4B


@pytest.mark.parametrize(("name", "more_mib"), [("Apple M3 Max", 512), ("NVIDIA GB10", 457)])
def test_3_gpu_with_a_part_of_main_memory_takes_its_backend(name: str, more_mib: int) -> None:
    load = placed(QWEN3_4B, machine(card(20_000, unified=True, name=name)))

    assert load.total_bytes == QWEN3_4B.total_bytes + more_mib * MIB
    assert load.vram_bytes == 0


@pytest.mark.parametrize(
    ("free_mib", "expected"),
    [
        pytest.param((20_000,), (6984 + 114 + 457, 150), id="all fits"),
        pytest.param((7_555,), (6984 + 114 + 457, 150), id="just"),
        pytest.param((7_554,), (6795 + 114 + 457, 189 + 150), id="one layer does not"),
        pytest.param((4_000,), (3398 + 114 + 457, 3586 + 150), id="half"),
        pytest.param((700,), (0, 7248), id="no layer beside compute and backend"),
        pytest.param((0,), (0, 7248), id="full"),
        pytest.param((4_006, 4_006), (6984 + 114 + 914, 150), id="two cards, a backend in each"),
        pytest.param((20_000, None), (0, 7248), id="one does not tell"),
    ],
)
def test_4_as_many_layers_as_fit(
    free_mib: tuple[int | None, ...], expected: tuple[int, int]
) -> None:
    assert mib(placed(QWEN3_4B, machine(*map(card, free_mib)))) == expected


def test_4_a_unified_one_beside_a_card_takes_no_part() -> None:
    load = placed(QWEN3_4B, machine(card(20_000), card(30_000, unified=True)))

    assert mib(load) == (6984 + 114 + 457, 150)


def test_4_unknown_layers_move_by_the_percent() -> None:
    assert mib(placed(GUESS, machine(card(20_000)))) == (6984 + 114 + 457, 150)
    assert mib(placed(GUESS, machine(card(4_000)))) == (3422 + 114 + 457, 3562 + 150)


@given(free_bytes=st.integers(0, 20_000 * MIB), n_layers=st.integers(0, 200))
def test_what_is_laid_on_gpus_fits_there(free_bytes: int, n_layers: int) -> None:
    load = replace(QWEN3_4B, n_layers=n_layers)
    ratio = fitting(load, free_bytes=free_bytes, backend_bytes=CUDA)
    laid = offloaded(load, ratio=ratio)

    assert laid.vram_bytes <= free_bytes
    assert laid.total_bytes - load.total_bytes in {0, CUDA}
