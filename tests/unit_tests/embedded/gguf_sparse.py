"""Writes GGUF files of true shapes whose weights are holes: zeros that take no room on disk."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from unit_tests.embedded.gguf_writer import text, typed

from langchain_lmswitch.embedded.gguf.tensors import Tensor

ALIGNMENT = 32
_BYTE_TOKENS = 256
_CONTROL, _UNKNOWN, _NORMAL, _BYTE = 3, 2, 1, 6


class Sparse(NamedTuple):
    """A model to be written: its keys, its tensors with their types, the size of its vocabulary."""

    metadata: Mapping[str, Any]
    tensors: Mapping[str, tuple[tuple[int, ...], int]]
    n_vocab: int


def write_sparse(path: Path, model: Sparse) -> Path:
    """Writes the file and returns its path."""
    header = [b"GGUF" + struct.pack("<IQQ", 3, len(model.tensors), len(model.metadata) + 6)]
    for key, value in model.metadata.items():
        kind, data = typed(value)
        header += [text(key), struct.pack("<I", kind), data]
    header.append(_tokenizer(model.n_vocab))
    offset = 0
    for name, (shape, kind) in model.tensors.items():
        header += [text(name), struct.pack(f"<I{len(shape)}Q", len(shape), *shape)]
        header.append(struct.pack("<IQ", kind, offset))
        n_bytes = Tensor(name=name, shape=shape, kind=kind, offset=offset).n_bytes
        assert n_bytes is not None
        offset += _align(n_bytes)
    content = b"".join(header)
    with path.open("wb") as file:
        file.write(content)
        file.truncate(_align(len(content)) + offset)
    return path


def _align(n_bytes: int) -> int:
    return -(-n_bytes // ALIGNMENT) * ALIGNMENT


def _tokenizer(n_vocab: int) -> bytes:
    """The six keys of a SentencePiece vocabulary: one word for each number, all bytes."""
    words = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(_BYTE_TOKENS))]
    words += [f"t{number}" for number in range(len(words), n_vocab)]
    kinds = [_UNKNOWN, _CONTROL, _CONTROL, *[_BYTE] * _BYTE_TOKENS]
    kinds += [_NORMAL] * (n_vocab - len(kinds))
    tokens = b"".join(text(word) for word in words)
    arrays = {
        "tokens": (8, tokens),
        "scores": (6, bytes(4 * n_vocab)),
        "token_type": (5, struct.pack(f"<{n_vocab}i", *kinds)),
    }
    out = [text("tokenizer.ggml.model"), struct.pack("<I", 8), text("llama")]
    for name, (kind, data) in arrays.items():
        out += [text(f"tokenizer.ggml.{name}"), struct.pack("<IIQ", 9, kind, n_vocab), data]
    for name, token in (("bos", 1), ("eos", 2)):
        out += [text(f"tokenizer.ggml.{name}_token_id"), struct.pack("<II", 4, token)]
    return b"".join(out)
