"""What has happened, as a picture."""

from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.errors import InvalidRequest, MissingExtra
from langchain_lmswitch.notebook.layout import Happening, happenings, layout, since
from langchain_lmswitch.notebook.palette import Theme
from langchain_lmswitch.notebook.summary import NOTHING, summary
from langchain_lmswitch.types.history import Past

if TYPE_CHECKING:
    from matplotlib.figure import Figure


_SHOWN_DPI: Final = 100


class Timeline:
    """Memory, loads, answers and evictions over time: a picture, a text, and the values.

    A notebook shows the picture if matplotlib is installed (the extra `notebook`), else the text,
    which has the same facts. Silences are drawn shorter than they were, and say how long.

    Args:
        past: What happened.
        last_s: How many of the last seconds to show; `None` is all that is remembered.
        theme: `light` or `dark`; `None` is transparent, and readable on both.
    """

    def __init__(
        self, past: Past, *, last_s: float | None = None, theme: Theme | None = None
    ) -> None:
        self.past = past
        """All that is remembered, memory included."""
        self._last_s = last_s
        self._theme = theme

    @property
    def events(self) -> tuple[Happening, ...]:
        """Loads, waits, answers and departures, in the order in which they began."""
        return happenings(since(self.past, self._last_s))

    @cached_property
    def figure(self) -> "Figure":
        """The picture, to be changed or put into a page.

        Raises:
            MissingExtra: matplotlib is not installed.
            InvalidRequest: Nothing has happened.
        """
        laid_out = layout(self.past, self._last_s)
        if laid_out is None:
            raise InvalidRequest(NOTHING)
        try:
            from langchain_lmswitch.notebook.drawing import draw  # noqa: PLC0415 - slow
        except ModuleNotFoundError as error:
            raise MissingExtra("notebook", why="A timeline is drawn by matplotlib") from error
        return draw(laid_out, self._theme)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the picture to a file; its suffix says how: `.png`, `.svg` or `.pdf`.

        Raises:
            MissingExtra: matplotlib is not installed.
            InvalidRequest: Nothing has happened.
        """
        figure = self.figure
        from langchain_lmswitch.notebook.drawing import save  # noqa: PLC0415 - slow

        save(figure, path, dpi=150)

    def __repr__(self) -> str:
        return summary(self.past, self._last_s)

    def _repr_png_(self) -> tuple[bytes, dict[str, int]] | None:
        try:
            figure = self.figure
        except (MissingExtra, InvalidRequest):
            return None
        from langchain_lmswitch.notebook.drawing import png  # noqa: PLC0415 - slow

        return png(figure), {"width": round(figure.get_figwidth() * _SHOWN_DPI)}
