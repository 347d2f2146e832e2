"""A user's home with a project in it, for tests of the files of settings."""

from dataclasses import dataclass
from pathlib import Path

from langchain_lmswitch.settings import files


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where the user's settings lie, and the project that is worked on."""

    home: Path
    project: Path
    user_file: Path

    @property
    def project_file(self) -> Path:
        return self.project / files.FILE

    def write(self, *, user: str | None = None, project: str | None = None) -> None:
        """Write the user's file, the project's, or both."""
        for file, text in ((self.user_file, user), (self.project_file, project)):
            if text is not None:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text, encoding="utf-8")
