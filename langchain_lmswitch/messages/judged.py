"""Which answer a caller judges, and how good it was. Pure."""

import math
import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

from langchain_core.messages import BaseMessage

from langchain_lmswitch.errors import InvalidRequest

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_REMEDY: Final = (
    "Give the message that `invoke` returned, as it is or revived from JSON, or the run id that "
    "callbacks and LangSmith have of it."
)


def answer_names(given: Any) -> tuple[str, ...]:
    """Name the answer that is meant, surest first.

    1. A message of ours carries the request in its record, and the run in its id.
    2. So does its mapping, as `model_dump`, `message_to_dict` or `messages_to_dict` write it.
    3. A run id is a UUID, or a text that holds one; any other text is taken for a request.

    Raises:
        InvalidRequest: It is none of these, or a message of somebody else's.
    """
    match given:
        case BaseMessage(response_metadata=metadata, id=message_id):  # 1
            return _of_message(metadata, message_id, given)
        case {"data": Mapping() as data}:  # 2
            return _of_message(data.get("response_metadata"), data.get("id"), given)
        case {"response_metadata": metadata}:
            return _of_message(metadata, given.get("id"), given)
        case UUID():  # 3
            return (str(given),)
        case str() if given.strip():
            return (_run_in(given) or given.strip(),)
        case _:
            msg = f"{_told(given)} is no answer. {_REMEDY}"
            raise InvalidRequest(msg)


def score_of(given: Any) -> float:
    """Read a score: `True` is 1 and `False` is 0, a number is what it is.

    Raises:
        InvalidRequest: It is not from 0 to 1.
    """
    if isinstance(given, int | float) and math.isfinite(given) and 0 <= given <= 1:
        return float(given)
    msg = f"The score is {_told(given)}; give True, False, or a number from 0 (useless) to 1."
    raise InvalidRequest(msg)


def _of_message(metadata: Any, message_id: Any, given: Any) -> tuple[str, ...]:
    record = metadata.get("lmswitch") if isinstance(metadata, Mapping) else None
    request = record.get("request") if isinstance(record, Mapping) else None
    run = _run_in(message_id) if isinstance(message_id, str) else ""
    names = tuple(name for name in (request, run) if isinstance(name, str) and name)
    if not names:
        msg = f"{_told(given)} carries no record of ChatLMSwitch. {_REMEDY}"
        raise InvalidRequest(msg)
    return names


def _run_in(text: str) -> str:
    found = _UUID.search(text)
    return found[0].lower() if found else ""


def _told(given: Any) -> str:
    """Show a value, but for what a message says."""
    match given:
        case BaseMessage():
            return f"This {type(given).__name__}"
        case Mapping():
            return "This mapping"
        case _:
            return f"{given!r:.80}"
