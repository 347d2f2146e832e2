"""How a value of ours shows itself."""

from langchain_lmswitch.types.displays.markup import html
from langchain_lmswitch.types.displays.sheets import Sheet
from langchain_lmswitch.types.displays.text import line


class Shown:
    """A value that shows the same facts as text and in a notebook.

    A dataclass has to be made with `repr=False`, or it writes its own.
    """

    __slots__ = ()

    def _sheet(self) -> Sheet:
        raise NotImplementedError

    def __repr__(self) -> str:
        return line(self._sheet())

    def _repr_html_(self) -> str:
        return html(self._sheet())
