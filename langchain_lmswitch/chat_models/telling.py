"""What a chat model tells of what has happened."""

from typing import TYPE_CHECKING

from langchain_lmswitch.chat_models.feedback import JudgedChatModel
from langchain_lmswitch.switch.portal import portal
from langchain_lmswitch.types.history import Past

if TYPE_CHECKING:
    from langchain_lmswitch.notebook.live import Live
    from langchain_lmswitch.notebook.palette import Theme
    from langchain_lmswitch.notebook.timeline import Timeline


class TellingChatModel(JudgedChatModel):
    """A chat model that shows what its host does, and what it did."""

    def timeline(self, *, last_s: float | None = None, theme: "Theme | None" = None) -> "Timeline":
        """Show memory, loads, answers and evictions over time.

        Everything is told that this process did with the host, by whatever chat model, since its
        first request: names of models and kinds of tasks, no words. A notebook shows the picture.

        Args:
            last_s: How many of the last seconds to show; `None` is all that is remembered.
            theme: `light` or `dark`; `None` is transparent, and readable on both.

        Raises:
            HostNotFound: There is no host.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            llm = ChatLMSwitch(max_tokens=8)
            llm.invoke("Write a Python function that reverses a string.")
            timeline = llm.timeline()
            print(timeline)
            timeline.save("switch.svg")
            ```
        """
        from langchain_lmswitch.notebook.timeline import Timeline  # noqa: PLC0415 - few want it

        return Timeline(portal().call(self._past()), last_s=last_s, theme=theme)

    def live(self) -> "Live":
        """Show what happens while it happens, for as long as a `with` block lasts.

        Loads with their progress, memory with who is in it, which model answers and why: of all
        requests of this process to the host, from any thread and agent. In a notebook it is one
        output that is updated four times a second at most, and its last state stays in the file;
        in a terminal some lines that are written over; in a log one line for each step.

        Raises:
            HostNotFound: There is no host; told when the block begins.

        Example:
            ```python
            from langchain_lmswitch import ChatLMSwitch

            llm = ChatLMSwitch(max_tokens=8)
            with llm.live():  # or `async with`
                llm.invoke("Write a Python function that reverses a string.")
            ```
        """
        from langchain_lmswitch.notebook.live import Live  # noqa: PLC0415 - few want it

        return Live(self._controls().follow)

    async def _past(self) -> Past:
        return (await self._open_board()).history.past()
