"""Which changes are worth an event."""

from dataclasses import replace
from typing import Any

import pytest

from langchain_lmswitch.machine.changes import differs
from langchain_lmswitch.types.machine import Gpu, Snapshot

MIB = 2**20
GIB = 2**30
CARD = Gpu(name="T4", total_bytes=16 * GIB, free_bytes=8 * GIB)
APU = Gpu(
    name="780M",
    total_bytes=GIB,
    free_bytes=GIB // 2,
    shared_total_bytes=32 * GIB,
    shared_free_bytes=16 * GIB,
)
NOW = Snapshot(
    ram_total_bytes=64 * GIB,
    ram_free_bytes=32 * GIB,
    swap_total_bytes=8 * GIB,
    swap_used_bytes=0,
    swap_free_bytes=8 * GIB,
    gpus=(CARD, APU),
)


def with_card(**changes: Any) -> Snapshot:
    return replace(NOW, gpus=(replace(CARD, **changes), APU))


def with_apu(**changes: Any) -> Snapshot:
    return replace(NOW, gpus=(CARD, replace(APU, **changes)))


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(NOW, False, id="nothing"),
        pytest.param(replace(NOW, ram_free_bytes=32 * GIB - 256 * MIB), False, id="256 MiB"),
        pytest.param(replace(NOW, ram_free_bytes=32 * GIB - 257 * MIB), True, id="less RAM"),
        pytest.param(replace(NOW, ram_free_bytes=32 * GIB + 257 * MIB), True, id="more RAM"),
        pytest.param(replace(NOW, ram_free_bytes=None), True, id="RAM became unknown"),
        pytest.param(replace(NOW, ram_total_bytes=63 * GIB), True, id="another limit"),
        pytest.param(replace(NOW, swap_free_bytes=8 * GIB - 163 * MIB), False, id="under 2 %"),
        pytest.param(replace(NOW, swap_free_bytes=8 * GIB - 165 * MIB), True, id="above 2 %"),
        pytest.param(with_card(free_bytes=8 * GIB - 255 * MIB), False, id="a little VRAM"),
        pytest.param(with_card(free_bytes=7 * GIB), True, id="VRAM"),
        pytest.param(with_card(free_bytes=None), True, id="VRAM became unknown"),
        pytest.param(with_card(total_bytes=None), True, id="a total became unknown"),
        pytest.param(with_apu(free_bytes=GIB // 2 - 21 * MIB), True, id="2 % of little VRAM"),
        pytest.param(with_apu(shared_free_bytes=15 * GIB), True, id="shared memory"),
        pytest.param(replace(NOW, gpus=(APU,)), True, id="a GPU went"),
        pytest.param(replace(NOW, gpus=None), True, id="GPUs became unknown"),
        pytest.param(replace(NOW, scope="shared"), True, id="another scope"),
    ],
)
def test_differs(after: Snapshot, *, expected: bool) -> None:
    assert differs(NOW, after) is expected
    assert differs(after, NOW) is expected


def test_zero_and_unknown_differ() -> None:
    nothing_free = replace(NOW, ram_free_bytes=0)

    assert differs(nothing_free, replace(NOW, ram_free_bytes=None))


def test_without_a_total_256_mib_count() -> None:
    unknown = replace(NOW, ram_total_bytes=None)

    assert not differs(unknown, replace(unknown, ram_free_bytes=32 * GIB - 256 * MIB))
    assert differs(unknown, replace(unknown, ram_free_bytes=32 * GIB - 257 * MIB))
