"""A tokenizer, a chat template and an embedding, each small and deterministic."""

import json
import math
import re
import zlib
from collections.abc import Sequence
from typing import Any

from langchain_lmswitch.types.requests import JsonObject

EMBEDDING_SIZE = 32

_TOKEN = re.compile(r"\s*(?:\w+|[^\w\s])|\s+")


def split(text: str) -> list[str]:
    """Split a text into tokens: a word or a mark, each with the white space before it.

    Joined, they are the text again.

    Example:
        >>> split("It's 4 o'clock.")
        ['It', "'", 's', ' 4', ' o', "'", 'clock', '.']
    """
    return _TOKEN.findall(text)


def ids(text: str) -> list[int]:
    """Number the tokens of a text: the same token has the same number, wherever it stands."""
    return [zlib.crc32(token.encode()) for token in split(text)]


def render(messages: Sequence[JsonObject], tools: Sequence[JsonObject] = ()) -> str:
    r"""Put a conversation in LM Studio's wire form through a template like ChatML.

    Example:
        >>> render([{"role": "user", "content": [{"type": "text", "text": "Hi"}]}])
        '<|user|>\nHi\n<|assistant|>\n'
    """
    offered = [f"<|tools|>\n{json.dumps(list(tools))}\n"] if tools else []
    said = [f"<|{message['role']}|>\n{_content(message)}\n" for message in messages]
    return "".join([*offered, *said, "<|assistant|>\n"])


def embed(text: str) -> list[float]:
    """Embed a text: its tokens, hashed into a vector of length one.

    Texts that share words have similar vectors.
    """
    vector = [0.0] * EMBEDDING_SIZE
    for token in split(text.casefold()):
        vector[zlib.crc32(token.strip().encode()) % EMBEDDING_SIZE] += 1.0
    length = math.hypot(*vector) or 1.0
    return [part / length for part in vector]


def _content(message: JsonObject) -> str:
    content = message.get("content", ())
    return content if isinstance(content, str) else "".join(map(_part, content))


def _part(part: Any) -> str:
    if part.get("type") == "text":
        return str(part["text"])
    shown = {key: value for key, value in part.items() if key != "base64"}
    return json.dumps(shown, ensure_ascii=False)
