"""What an argument of a chat model may be called."""

import difflib
from collections.abc import Collection, Iterable

from langchain_lmswitch.settings import Settings


def check_names(given: Iterable[str], known: Collection[str]) -> None:
    """Check the names of arguments.

    Raises:
        ValueError: One is none, and says what comes nearest, or where such a setting belongs.
    """
    for name in given:
        if name not in known:
            raise ValueError(_unknown(name, known))


def _unknown(name: str, known: Collection[str]) -> str:
    if name in Settings.model_fields:
        return (
            f"`{name}` is a setting of the whole process: give it as LMSWITCH_{name.upper()}, "
            "or in lmswitch.toml."
        )
    nearest = difflib.get_close_matches(name, known, n=1)
    hint = f"Did you mean `{nearest[0]}`?" if nearest else "`help(ChatLMSwitch)` lists them."
    return f"There is no argument `{name}`. {hint}"
