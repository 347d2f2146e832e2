"""Writes small GGUF files, so that tests need no real model."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple


class U64(NamedTuple):
    """A number to be written with 64 bits."""

    value: int


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack("<Q", len(data)) + data


def typed(value: Any) -> tuple[int, bytes]:
    match value:
        case bool():
            return 7, struct.pack("<?", value)
        case U64():
            return 10, struct.pack("<Q", value.value)
        case int():
            return (4, struct.pack("<I", value)) if value >= 0 else (5, struct.pack("<i", value))
        case float():
            return 6, struct.pack("<f", value)
        case str():
            return 8, text(value)
        case list():
            kinds = [typed(item) for item in value] or [(4, b"")]
            body = b"".join(data for _, data in kinds) if value else b""
            return 9, struct.pack("<IQ", kinds[0][0], len(value)) + body
        case _:
            raise TypeError(value)


def gguf_bytes(
    metadata: Mapping[str, Any],
    *,
    tensors: Mapping[str, Sequence[int]] | None = None,
    version: int = 3,
    weights: bytes = b"",
) -> bytes:
    """Returns a file: header, tensor table, weights."""
    tensors = tensors or {}
    out = [b"GGUF", struct.pack("<IQQ", version, len(tensors), len(metadata))]
    for key, value in metadata.items():
        kind, data = typed(value)
        out += [text(key), struct.pack("<I", kind), data]
    for name, shape in tensors.items():
        out += [text(name), struct.pack(f"<I{len(shape)}Q", len(shape), *shape)]
        out.append(struct.pack("<IQ", 0, 0))
    return b"".join(out) + weights


def model_metadata(
    name: str = "Qwen2.5 Coder 0.5B Instruct",
    *,
    template: str | None = "{% if tools %}",
    **more: Any,
) -> dict[str, Any]:
    """Returns the keys of a small Qwen2-like model, in the order llama.cpp writes them."""
    keys: dict[str, Any] = {
        "general.architecture": "qwen2",
        "general.type": "model",
        "general.name": name,
        "general.size_label": "0.5B",
        "qwen2.block_count": 24,
        "qwen2.context_length": 32768,
        "qwen2.embedding_length": 896,
        "qwen2.feed_forward_length": 4864,
        "qwen2.attention.head_count": 14,
        "qwen2.attention.head_count_kv": 2,
        "general.file_type": 15,
    }
    keys |= {key.replace("__", "."): value for key, value in more.items()}
    keys |= {"tokenizer.ggml.model": "gpt2", "tokenizer.ggml.tokens": ["a", "b", "c"]}
    if template is not None:
        keys["tokenizer.chat_template"] = template
    return keys


def write_model(
    path: Path, metadata: Mapping[str, Any] | None = None, *, weights: int = 64
) -> Path:
    """Writes a model file and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content = gguf_bytes(
        model_metadata() if metadata is None else metadata,
        tensors={"token_embd.weight": (896, 3)},
        weights=b"\0" * weights,
    )
    path.write_bytes(content)
    return path
