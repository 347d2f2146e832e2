"""What the endpoints work with."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from langchain_lmswitch.embedded.catalog import Catalog
from langchain_lmswitch.embedded.instances import Instances
from langchain_lmswitch.embedded.uploads import Uploads
from langchain_lmswitch.errors import InvalidRequest

if TYPE_CHECKING:
    from langchain_lmswitch.settings import Settings
    from langchain_lmswitch.types.machine import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One host's parts."""

    settings: "Settings"
    catalog: Catalog
    instances: Instances
    uploads: Uploads
    snapshot: Callable[[], "Snapshot"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A call or a new channel: by whom, and with what."""

    services: Services
    client: str
    """Identity of the client; what it uploads is its own."""
    parameter: Any = None

    def text(self, name: str) -> str:
        """Return a field that must be text.

        Raises:
            InvalidRequest: It is missing or something else.
        """
        value = self.get(name)
        if not isinstance(value, str):
            raise InvalidRequest(f"The parameter lacks the text field {name!r}.")
        return value

    def optional_text(self, name: str) -> str | None:
        """Return a field that is text if it is there.

        Raises:
            InvalidRequest: It is something else.
        """
        return None if self.get(name) is None else self.text(name)

    def seconds(self, name: str) -> float | None:
        """Return a field of milliseconds as seconds, if it is there.

        Raises:
            InvalidRequest: It is not a positive number.
        """
        value = self.get(name)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise InvalidRequest(f"The field {name!r} must be a positive number of milliseconds.")
        return value / 1000

    def get(self, name: str) -> Any:
        """Return a field, or `None`.

        Raises:
            InvalidRequest: The parameter is not an object at all.
        """
        if not isinstance(self.parameter, dict):
            raise InvalidRequest("The parameter is not an object.")
        return self.parameter.get(name)
