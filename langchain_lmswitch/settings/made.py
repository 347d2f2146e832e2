"""Settings that an object was made with, and keeps."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from langchain_lmswitch.settings.knobs import Settings


@dataclass(frozen=True, slots=True)
class MadeSettings:
    """Settings, and what an object gave to make them."""

    given: Mapping[str, Any]
    settings: Settings


def made_settings(last: MadeSettings | None, **given: Any) -> MadeSettings:
    """Make settings of what is given, unless the last ones were made of the same.

    An object keeps its settings though the environment or a file changes: what it does stays the
    same while it lives. A copy of it may be given another host, and then reads anew. What is given
    as `None` is left to the environment, the files and the defaults.
    """
    if last is not None and last.given == given:
        return last
    return MadeSettings(given, Settings(**{k: v for k, v in given.items() if v is not None}))
