"""Lines of a pipe or a file, each a message or a command."""

from typing import IO


class Piped:
    """Reads one line after the other; a backslash at the end of a line joins the next one."""

    def __init__(self, lines: IO[str]) -> None:
        self._lines = lines

    def read(self, draft: str = "") -> str | None:  # noqa: ARG002 - for people, who can edit it
        """Give the next line, or `None` at the end."""
        read: list[str] = []
        while line := self._lines.readline():
            read.append(line.rstrip("\r\n"))
            if not read[-1].endswith("\\"):
                break
            read[-1] = read[-1][:-1]
        return "\n".join(read) if read else None
