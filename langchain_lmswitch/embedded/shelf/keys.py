"""The names that users write, made as LM Studio makes them."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from langchain_lmswitch.embedded.gguf import parse_split
from langchain_lmswitch.embedded.gguf.filetypes import QUANTIZATION

EMBEDDING_PREFIX: Final = "text-embedding-"
_NAMELESS: Final = frozenset({"", "model", "ggml-model", "weights"})
_OUTSIDE: Final = re.compile(r"[^a-z0-9._+-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What a key is made from."""

    relative: str
    """Path under the models folder, with forward slashes."""
    quantization: str = ""
    publisher: str = ""
    embedding: bool = False


def base_key(named: Named) -> str:
    """Returns the short key: the file's name without quantization, suffix and capitals.

    A file that is called just `model.gguf` or `ggml-model-q4_0.gguf` goes by its folder.
    """
    path = PurePosixPath(named.relative)
    split = parse_split(path.name)
    key = _plain(split.stem if split else path.stem)
    if key in _NAMELESS:
        key = _plain(path.parent.name) or key or "model"
    if named.embedding and not key.startswith(EMBEDDING_PREFIX):
        return EMBEDDING_PREFIX + key
    return key


def _plain(name: str) -> str:
    bare = QUANTIZATION.sub("", name).lower()
    return _OUTSIDE.sub("-", bare).removesuffix("-gguf").removesuffix(".gguf").strip("-._")


def unique_keys(models: Sequence[Named]) -> list[str]:
    """Returns one key for each model, in the same order and independent of it.

    1. The short key, where only one model has it.
    2. With the quantization: `name@q4_k_m`.
    3. With the publisher before it: `publisher/name@q4_k_m`.
    4. With its path, which no other has.
    """
    forms = [_forms(named) for named in models]
    counts = [Counter(form[step] for form in forms) for step in range(3)]
    return [
        next((key for key, count in zip(form, counts, strict=False) if count[key] == 1), form[3])
        for form in forms
    ]


def _forms(named: Named) -> tuple[str, str, str, str]:
    short = base_key(named)
    with_quantization = f"{short}@{named.quantization.lower()}" if named.quantization else short
    publisher = _OUTSIDE.sub("-", named.publisher.lower())
    with_publisher = f"{publisher}/{with_quantization}" if publisher else with_quantization
    return short, with_quantization, with_publisher, named.relative.lower()
