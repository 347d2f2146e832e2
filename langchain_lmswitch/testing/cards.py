"""Short ways to write the values that tests need most."""

from langchain_lmswitch.types.models import ModelCard, ModelKind
from langchain_lmswitch.types.requests import JsonObject


def card(
    key: str,
    *,
    kind: ModelKind = "llm",
    size_bytes: int = 100 * 2**20,
    max_context_tokens: int = 8192,
    params: str = "",
    vision: bool = False,
    tool_use: bool = False,
    architecture: str = "llama",
    quantization: str = "Q4_K_M",
) -> ModelCard:
    """Make a model card with sensible defaults: a chat model of 100 MiB.

    Example:
        >>> card("big-coder", params="30B", tool_use=True).path
        'scripted/big-coder/big-coder.gguf'

    Args:
        key: What names it.
        kind: `llm` or `embedding`.
        size_bytes: Of its file.
        max_context_tokens: The context it was trained for.
        params: How many parameters it has, as a host writes it: `7B`.
        vision: Whether it sees images.
        tool_use: Whether it was trained to call tools.
        architecture: As in a GGUF header.
        quantization: As a host writes it.
    """
    return ModelCard(
        key=key,
        kind=kind,
        display_name=key,
        publisher="scripted",
        path=f"scripted/{key}/{key}.gguf",
        size_bytes=size_bytes,
        architecture=architecture,
        params=params,
        quantization=quantization,
        max_context_tokens=max_context_tokens,
        vision=vision,
        tool_use=tool_use,
    )


def user(text: str) -> JsonObject:
    """Make a user's message in the wire form of `PredictRequest`.

    Example:
        >>> user("Hello")
        {'role': 'user', 'content': [{'type': 'text', 'text': 'Hello'}]}
    """
    return {"role": "user", "content": [{"type": "text", "text": text}]}
