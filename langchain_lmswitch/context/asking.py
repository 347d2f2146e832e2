"""What a flow has to know and cannot find out itself."""

from dataclasses import dataclass

from langchain_core.messages import BaseMessage


@dataclass(frozen=True, slots=True)
class CountTexts:
    """Asks for the tokens of each text: a `Sequence[int]`."""

    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CountPrompt:
    """Asks for the tokens of a finished prompt, template and tools included: an `int`."""

    messages: tuple[BaseMessage, ...]


@dataclass(frozen=True, slots=True)
class Embed:
    """Asks for the vectors of texts: one each, normalized; or `None` if nobody embeds (yet)."""

    texts: tuple[str, ...]


Ask = CountTexts | CountPrompt | Embed
