"""The tensor table of a GGUF file, and what its weights take in memory."""

import math
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from langchain_lmswitch.embedded.gguf.cursor import MAX_KEPT_TEXT_BYTES, Cursor

_MAX_DIMENSIONS: Final = 8
_MAX_ELEMENTS: Final = 1 << 50

_SINGLE_BYTES: Final = {0: 4, 1: 2, 24: 1, 25: 2, 26: 4, 27: 8, 28: 8, 30: 2}
_BLOCK_32_BYTES: Final = {2: 18, 3: 20, 6: 22, 7: 24, 8: 34, 9: 36, 20: 18, 39: 17}
_BLOCK_256_BYTES: Final = {
    10: 84,
    11: 110,
    12: 144,
    13: 176,
    14: 210,
    15: 292,
    16: 66,
    17: 74,
    18: 98,
    19: 50,
    21: 110,
    22: 82,
    23: 136,
    29: 56,
    34: 54,
    35: 66,
}
BLOCKS: Final[Mapping[int, tuple[int, int]]] = MappingProxyType(
    {code: (1, size) for code, size in _SINGLE_BYTES.items()}
    | {code: (32, size) for code, size in _BLOCK_32_BYTES.items()}
    | {40: (64, 36)}
    | {code: (256, size) for code, size in _BLOCK_256_BYTES.items()}
)
"""Elements and bytes of a block, by the number in `enum ggml_type` (`ggml/include/ggml.h`)."""

Q4_0, Q8_0, Q4_K, Q5_K, Q6_K, IQ4_NL, MXFP4 = 2, 8, 12, 13, 14, 20, 39
REARRANGED: Final = frozenset({Q4_0, Q4_K, IQ4_NL, MXFP4})
"""Types that the engine lays out anew for AVX2 (measured, see `test_footprint_truth.py`)."""
REARRANGED_ARM: Final = REARRANGED | {Q8_0, Q5_K, Q6_K}
"""The same for NEON (`ggml_repack_get_optimal_repack_type`, `ggml/src/ggml-cpu/repack.cpp`)."""
_ROWS_AT_A_TIME: Final = 8

EMBEDDING: Final = "token_embd.weight"
OUTPUT: Final = "output.weight"
_LOOKED_UP: Final = frozenset({EMBEDDING, "per_layer_token_embd.weight", "position_embd.weight"})
"""Tables that rows are taken from: nothing is multiplied by them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tensor:
    """One row of the table."""

    name: str
    shape: tuple[int, ...]
    kind: int
    """Number of its type."""
    offset: int
    """From the start of the weights, in bytes."""

    @property
    def n_elements(self) -> int:
        """The number of its elements."""
        return math.prod(self.shape)

    @property
    def n_bytes(self) -> int | None:
        """Its size; `None` for a type that is not known."""
        if self.kind not in BLOCKS:
            return None
        elements, block_bytes = BLOCKS[self.kind]
        return self.n_elements // elements * block_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class WeightBytes:
    """What the weights of one file take in memory when a CPU computes with them."""

    mapped: int
    """The part of the file that stays mapped: from the first tensor used in place to the last."""
    rearranged: int
    """Copies laid out anew for the processor."""

    @property
    def total(self) -> int:
        """Both together."""
        return self.mapped + self.rearranged


def read_tensor(cursor: Cursor) -> Tensor:
    """Reads one row of the table: name, dimensions, type, offset."""
    name = cursor.text(MAX_KEPT_TEXT_BYTES)
    n_dimensions = cursor.kind()
    if n_dimensions > _MAX_DIMENSIONS:
        raise cursor.bad(f"it claims a tensor of {n_dimensions} dimensions")
    limit = _MAX_ELEMENTS
    shape = tuple(cursor.count(limit, of="rows of a tensor") for _ in range(n_dimensions))
    kind = cursor.kind()
    return Tensor(name=name, shape=shape, kind=kind, offset=cursor.count(limit, of="bytes before"))


def weight_bytes(tensors: Sequence[Tensor], *, machine: str = "") -> WeightBytes | None:
    """Returns what a CPU run holds; `None` if a tensor's type is not known.

    A tensor that is laid out anew no longer needs its place in the file, so what lies before the
    first and behind the last of the others is unmapped again (`unmap_fragment` in llama.cpp). A
    model without an output of its own multiplies by the embedding: that is copied too.

    Args:
        tensors: The whole table.
        machine: The processor, as `platform.machine` names it; empty for this one.
    """
    kinds = _rearranged_kinds(machine or platform.machine())
    if any(tensor.n_bytes is None for tensor in tensors):
        return None
    tied = all(tensor.name != OUTPUT for tensor in tensors)
    fit = [one for one in tensors if _can_be_rearranged(one, kinds)]
    copied = [one for one in fit if one.name not in _LOOKED_UP or (tied and one.name == EMBEDDING)]
    kept = [one for one in tensors if one.name in _LOOKED_UP or not _can_be_rearranged(one, kinds)]
    first = min((one.offset for one in kept), default=0)
    last = max((one.offset + (one.n_bytes or 0) for one in kept), default=0)
    return WeightBytes(mapped=last - first, rearranged=sum(one.n_bytes or 0 for one in copied))


def _rearranged_kinds(machine: str) -> frozenset[int]:
    match machine.lower():
        case "x86_64" | "amd64":
            return REARRANGED
        case "arm64" | "aarch64":
            return REARRANGED_ARM
        case _:
            return frozenset()


def _can_be_rearranged(tensor: Tensor, kinds: frozenset[int]) -> bool:
    """Returns whether the engine has a layout for it.

    Of tensors with three dimensions only experts are: the others, as in latent attention, are
    multiplied slice by slice, for which there is none (`supports_op` in `repack.cpp`).
    """
    match tensor.shape:
        case (_, rows):
            suits = True
        case (_, rows, _):
            suits = "_exps." in tensor.name
        case _:
            return False
    return suits and tensor.kind in kinds and rows % _ROWS_AT_A_TIME == 0
