"""A console that nothing steers but this program."""

from collections.abc import Iterable

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from langchain_lmswitch.cli.screen import plain


class InertConsole(Console):
    """Takes control sequences out of all that it shows: names of models come from their files.

    Rich takes out a few, and not the one that most begin with.
    """

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterable[Segment]:
        """Render as others do, without what was not asked for."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=plain(segment.text))
