"""Credentials in the form the host's handshake wants them."""

import re
import uuid
from collections.abc import Mapping
from typing import Final

from langchain_lmswitch.embedded.protocol.connection import ONLOOKER
from langchain_lmswitch.errors import InvalidRequest

_TOKEN: Final = re.compile(r"sk-lm-([A-Za-z0-9]{8}):([A-Za-z0-9]{20})")


def auth_message(token: str | None, *, onlooker: bool = False) -> Mapping[str, str | int]:
    """Build the handshake from a token, or as a guest if there is none.

    An `onlooker` says so to an embedded host, which need not stay for it; no other host is told.

    Raises:
        InvalidRequest: It is not a token of LM Studio.
    """
    if not token or not token.strip():
        return _message(f"guest:{uuid.uuid4()}", str(uuid.uuid4()))
    match = _TOKEN.fullmatch(token.strip())
    if match is None:
        raise InvalidRequest(
            "The API key does not look like a token of LM Studio, which is `sk-lm-`, 8 letters or "
            "digits, a colon and 20 more. Copy it again from LM Studio's Developer settings, or "
            "unset `api_key`, LMSWITCH_API_KEY and LM_API_TOKEN if the host asks for none."
        )
    presented = _message(*match.groups())
    return {**presented, ONLOOKER: True} if onlooker else presented


def _message(identifier: str, passkey: str) -> Mapping[str, str | int]:
    return {"authVersion": 1, "clientIdentifier": identifier, "clientPasskey": passkey}
