"""Which part of a load lies on GPUs."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langchain_lmswitch.policy.offload import (
    BACKEND_BYTES,
    GPU_PROCESS_BYTES,
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
    assert load.ram_bytes == 150 * MIB + GPU_PROCESS_BYTES


def test_half_of_the_layers() -> None:
    """18 of 37, the output counted, and room for one; compute and backend all on the GPU."""
    assert mib(offloaded(QWEN3_4B, ratio=0.5)) == (3398 + 188 + 114 + 720, 3586 + 360)


def estimate(weights: float, kv: float, compute: float, n_layers: int) -> Footprint:
    """Write what the formula says of a model; sizes in MiB."""
    return Footprint(
        weights_bytes=round(weights * MIB),
        kv_bytes=round(kv * MIB),
        compute_bytes=round(compute * MIB),
        backend_bytes=150 * MIB,
        n_layers=n_layers,
        source="header",
    )


@pytest.mark.parametrize(
    ("load", "layers", "vram_mib", "ram_mib"),
    [
        pytest.param(estimate(730.5, 256, 44.2, 16), 17, 1626.8, 566.2 - 205.5, id="1b"),
        pytest.param(estimate(730.5, 256, 44.2, 16), 8, 1118.8 + 78, 0, id="1b, 8"),
        pytest.param(estimate(730.5, 256, 44.2, 16), 1, 778.8 + 78, 0, id="1b, the output"),
        pytest.param(estimate(4569.7, 1024, 153.2, 32), 33, 5904.8, 790.8 - 411, id="8b"),
        pytest.param(estimate(4569.7, 1024, 153.2, 32), 16, 3384.8, 3736.1 - 411, id="8b, 16"),
        pytest.param(estimate(4569.7, 1024, 153.2, 32), 1, 1070.8 + 78, 0, id="8b, the output"),
        pytest.param(estimate(2257.3, 4608, 128.3, 36), 37, 7580.8, 710.6 - 304.3, id="4b"),
        pytest.param(estimate(2257.3, 4608, 128.3, 36), 30, 6372.8 + 80, 0, id="4b, 30"),
        pytest.param(estimate(2257.3, 4608, 128.3, 36), 12, 3094.8 + 80, 0, id="4b, 12"),
        pytest.param(estimate(504, 96, 26.4, 24), 25, 1224.8, 0, id="0.5b"),
        pytest.param(estimate(591.6, 32, 111.3, 2), 3, 1178.8, 0, id="30b-a3b, two layers"),
        pytest.param(estimate(834.8, 62, 109.8, 6), 7, 1588.8, 0, id="gemma-3-4b, six layers"),
    ],
)
def test_estimates_are_not_below_what_an_h200_gave(
    load: Footprint, layers: int, vram_mib: float, ram_mib: float
) -> None:
    """With llama.cpp v0.5.0 and CUDA 13: what the card had less, and what the process held.

    The input embedding is not in it; 78 to 80 MiB come with the first answer, and are reckoned
    where there was none. What was not recorded is 0.
    """
    laid = offloaded(load, ratio=layers / (load.n_layers + 1))

    assert vram_mib <= laid.vram_bytes / MIB <= 1.3 * vram_mib
    assert laid.ram_bytes / MIB >= 0.87 * ram_mib


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


@pytest.mark.parametrize(("name", "more_mib"), [("Apple M3 Max", 512), ("NVIDIA GB10", 720)])
def test_3_gpu_with_a_part_of_main_memory_takes_its_backend(name: str, more_mib: int) -> None:
    load = placed(QWEN3_4B, machine(card(20_000, unified=True, name=name)))

    assert load.total_bytes == QWEN3_4B.total_bytes + more_mib * MIB
    assert load.vram_bytes == 0


@pytest.mark.parametrize(
    ("free_mib", "expected"),
    [
        pytest.param((20_000,), (6984 + 114 + 720, 360), id="all fits"),
        pytest.param((7_818,), (6984 + 114 + 720, 360), id="just"),
        pytest.param((7_817,), (6606 + 189 + 114 + 720, 378 + 360), id="one layer does not"),
        pytest.param((4_000,), (2831 + 189 + 114 + 720, 4153 + 360), id="less than half"),
        pytest.param((900,), (0, 7248), id="no layer beside compute and backend"),
        pytest.param((0,), (0, 7248), id="full"),
        pytest.param((4_269, 4_269), (6984 + 114 + 1440, 360), id="two cards, a backend in each"),
        pytest.param((20_000, None), (0, 7248), id="one does not tell"),
    ],
)
def test_4_as_many_layers_as_fit(
    free_mib: tuple[int | None, ...], expected: tuple[int, int]
) -> None:
    assert mib(placed(QWEN3_4B, machine(*map(card, free_mib)))) == expected


def test_4_a_unified_one_beside_a_card_takes_no_part() -> None:
    load = placed(QWEN3_4B, machine(card(20_000), card(30_000, unified=True)))

    assert mib(load) == (6984 + 114 + 720, 360)


def test_4_unknown_layers_move_by_the_percent() -> None:
    assert mib(placed(GUESS, machine(card(20_000)))) == (6984 + 114 + 720, 360)
    assert mib(placed(GUESS, machine(card(4_000)))) == (3073 + 70 + 114 + 720, 3911 + 360)


@given(free_bytes=st.integers(0, 20_000 * MIB), n_layers=st.integers(0, 200))
def test_what_is_laid_on_gpus_fits_there(free_bytes: int, n_layers: int) -> None:
    load = replace(QWEN3_4B, n_layers=n_layers)
    ratio = fitting(load, free_bytes=free_bytes, backend_bytes=CUDA)
    laid = offloaded(load, ratio=ratio)

    assert laid.vram_bytes <= free_bytes
    more_bytes = laid.total_bytes - load.total_bytes
    spare_bytes = laid.compute_bytes - load.compute_bytes
    assert more_bytes in {0, CUDA + GPU_PROCESS_BYTES + spare_bytes}
