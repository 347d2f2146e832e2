"""What a GGUF file says of itself before its tokenizer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langchain_lmswitch.embedded.gguf.architecture import architecture
from langchain_lmswitch.embedded.gguf.cursor import Cursor, Value, keys, open_header
from langchain_lmswitch.embedded.gguf.filetypes import FILE_TYPES, quantization_in
from langchain_lmswitch.errors import BadModelFile
from langchain_lmswitch.types.models import Architecture

_TOKENS: Final = "tokenizer.ggml.tokens"
_ARRAY: Final = 9
_SIZE_LABEL: Final = re.compile(
    r"(?:^|[-._ ])((?:\d{1,3}x)?\d{1,4}(?:\.\d{1,2})?[bm](?:-a\d{1,3}(?:\.\d)?b)?)(?=$|[-._ ])",
    re.IGNORECASE,
)
_ENCODERS: Final = re.compile(r".*bert.*|t5encoder|gemma-embedding")


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """The keys before the tokenizer, and what follows from them."""

    file_name: str
    metadata: Mapping[str, Value]
    """Scalars, strings, and number arrays short enough to be one value a layer."""
    n_vocab: int = 0
    """Entries of the tokenizer's list; 0 if it was not reached."""

    @property
    def architecture_name(self) -> str:
        """The value of `general.architecture`; empty if missing."""
        return self._text("general.architecture")

    @property
    def architecture(self) -> Architecture | None:
        """What memory depends on; `None` if the header lacks it, as a projector's does."""
        return architecture(self.metadata, n_vocab=self.n_vocab)

    @property
    def name(self) -> str:
        """What the author calls the model; empty if missing."""
        return self._text("general.name")

    @property
    def quantization(self) -> str:
        """For example `Q4_K_M`; from the header, else the file's name; empty if unknown.

        Current llama.cpp writes the key behind the tokenizer, where this reader does not go.
        """
        code = self.metadata.get("general.file_type")
        known = FILE_TYPES.get(code, "") if isinstance(code, int) else ""
        return known or quantization_in(self.file_name.removesuffix(".gguf"))

    @property
    def params(self) -> str:
        """Parameter count as people write it, for example `7B`; empty if unknown.

        1. What the file says. 2. The model's name. 3. The file's name.
        """
        said = self._text("general.size_label")
        if said:
            return said[:32]
        for name in (self.name, self._text("general.basename"), self.file_name):
            if found := _SIZE_LABEL.search(name[:256].removesuffix(".gguf")):
                return found[1].upper()
        return ""

    @property
    def context_tokens(self) -> int:
        """The context it was trained for; 0 if unknown."""
        length = self.metadata.get(f"{self.architecture_name}.context_length")
        return length if isinstance(length, int) and 0 < length < 1 << 31 else 0

    @property
    def is_projector(self) -> bool:
        """Whether it is no language model but the eyes (or ears) of one."""
        return self.architecture_name == "clip" or self._text("general.type") == "mmproj"

    @property
    def is_embedding(self) -> bool:
        """Whether it maps text to vectors instead of writing text."""
        pooling = self.metadata.get(f"{self.architecture_name}.pooling_type")
        pools = isinstance(pooling, int) and pooling > 0
        return pools or _ENCODERS.fullmatch(self.architecture_name) is not None

    @property
    def is_adapter(self) -> bool:
        """Whether it is only an adapter, a vocabulary or training data, and answers nothing."""
        return self._text("general.type") in {"adapter", "vocab", "imatrix", "control_vector"}

    def _text(self, key: str) -> str:
        value = self.metadata.get(key)
        return value.strip() if isinstance(value, str) else ""


def read_header(path: Path) -> GgufHeader:
    """Reads up to the tokenizer's word list; takes about 0.1 ms.

    Raises:
        BadModelFile: The file is not GGUF, is cut off, or claims sizes beyond reason.
    """
    try:
        with path.open("rb") as file:
            return _read(Cursor(file, path), path.name)
    except OSError as error:
        raise BadModelFile(str(path), reason=error.strerror or type(error).__name__) from error


def _read(cursor: Cursor, file_name: str) -> GgufHeader:
    _, n_keys = open_header(cursor)
    metadata: dict[str, Value] = {}
    n_vocab = 0
    for key, kind in keys(cursor, n_keys):
        if key == _TOKENS and kind == _ARRAY:
            n_vocab = cursor.array_length()
            break
        value = cursor.value(kind)
        if value is not None:
            metadata[key] = value
    return GgufHeader(file_name=file_name, metadata=metadata, n_vocab=n_vocab)
