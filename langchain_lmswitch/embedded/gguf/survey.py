"""What stands behind the tokenizer: the chat template and the tensor table."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langchain_lmswitch.embedded.gguf.cursor import Cursor, Value, keys, open_header
from langchain_lmswitch.embedded.gguf.filetypes import FILE_TYPES
from langchain_lmswitch.embedded.gguf.tensors import WeightBytes, read_tensor, weight_bytes
from langchain_lmswitch.errors import BadModelFile

_WANTED: Final = ("general.file_type", "tokenizer.chat_template")
# Stops at the next brace, percent or quote sign, so that no template makes it quadratic.
_TOOLS: Final = re.compile(r"""\{[{%][^{%}'"]*?\btools\b""")


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What it takes tens of milliseconds to find out."""

    tool_template: bool
    """Whether the chat template handles tools."""
    quantization: str
    """From the header alone; empty if it does not say."""
    n_params: int
    """Elements of all tensors of this file."""
    weights: WeightBytes | None = None
    """What they take in memory in a run on this CPU; `None` if unknown."""


def survey(path: Path) -> Survey:
    """Walks the whole header.

    Raises:
        BadModelFile: The file is not GGUF, is cut off, or claims sizes beyond reason.
    """
    try:
        with path.open("rb") as file:
            return _survey(Cursor(file, path))
    except OSError as error:
        raise BadModelFile(str(path), reason=error.strerror or type(error).__name__) from error


def has_tool_template(path: Path) -> bool:
    """Returns whether the model's chat template handles tools.

    Raises:
        BadModelFile: As in `survey`.
    """
    return survey(path).tool_template


def handles_tools(template: str) -> bool:
    """Returns whether a Jinja chat template reads the variable `tools`."""
    return _TOOLS.search(template) is not None


def _survey(cursor: Cursor) -> Survey:
    n_tensors, n_keys = open_header(cursor)
    found: dict[str, Value | None] = {}
    for key, kind in keys(cursor, n_keys):
        value = cursor.value(kind)
        if key.startswith(_WANTED):
            found[key] = value
    code = found.get("general.file_type")
    tensors = [read_tensor(cursor) for _ in range(n_tensors)]
    return Survey(
        tool_template=_any_tools(found),
        quantization=FILE_TYPES.get(code, "") if isinstance(code, int) else "",
        n_params=sum(tensor.n_elements for tensor in tensors),
        weights=weight_bytes(tensors),
    )


def _any_tools(found: dict[str, Value | None]) -> bool:
    # Some models bring a second template for tools beside the plain one.
    if "tokenizer.chat_template.tool_use" in found:
        return True
    template = found.get("tokenizer.chat_template")
    return isinstance(template, str) and handles_tools(template)
