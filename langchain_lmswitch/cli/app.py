"""`lmswitch`: the commands, wired together."""

import atexit
import os
import sys
from contextlib import suppress
from dataclasses import replace
from io import TextIOWrapper
from pathlib import Path
from typing import Annotated

import typer

from langchain_lmswitch._version import __version__
from langchain_lmswitch.cli import (
    allocate,
    ask,
    calibrate,
    config,
    explain,
    load,
    models,
    pin,
    replay,
    serve,
    unload,
)
from langchain_lmswitch.cli.bench.app import bench
from langchain_lmswitch.cli.chat.app import chat
from langchain_lmswitch.cli.doctor.command import doctor
from langchain_lmswitch.cli.guard import EPILOG, INTERRUPTED, Guarded
from langchain_lmswitch.cli.learn.app import learn
from langchain_lmswitch.cli.options import BaseUrl
from langchain_lmswitch.cli.pull.command import pull
from langchain_lmswitch.cli.session import session_of
from langchain_lmswitch.cli.status import status

app: typer.Typer = typer.Typer(
    name="lmswitch",
    cls=Guarded,
    epilog=EPILOG,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(value: bool) -> None:  # noqa: FBT001 - the form of a callback
    if value:
        typer.echo(f"lmswitch {__version__}")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show where an error comes from.")]


@app.callback(invoke_without_command=True)
def lmswitch(
    ctx: typer.Context,
    *,
    base_url: BaseUrl = None,
    debug: Debug = False,
    version: Version = False,  # noqa: ARG001 - its callback has answered
) -> None:
    """One chat model for all the models on your machine.

    Every setting can be given as a variable LMSWITCH_*, for example LMSWITCH_MODEL_FOLDERS for more
    folders of GGUF files, or in a file; `lmswitch config` shows all.
    """
    ctx.obj = replace(session_of(ctx, base_url), debug=debug)
    if ctx.invoked_subcommand is None:
        typer.echo(ctx.get_help())


app.command()(ask.ask)
app.command()(chat)
app.command()(explain.explain)
app.command()(replay.replay)
app.command()(allocate.allocate)
app.command()(models.models)
app.command()(calibrate.calibrate)
app.command()(status)
app.command()(pull)
app.command()(load.load)
app.command()(unload.unload)
app.command()(pin.pin)
app.command()(doctor)
app.command()(serve.serve)
app.command()(config.config)
app.add_typer(learn, name="learn")
app.add_typer(bench, name="bench")


def main() -> None:
    """Run the command line; see `guard` for the exit codes."""
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, ValueError):
            if isinstance(stream, TextIOWrapper):
                # A model's answer may hold characters that the terminal's encoding lacks.
                stream.reconfigure(errors="replace")
    # A command ends after one answer, and the next one wants the same model.
    os.environ["LMSWITCH_COMMAND"] = "true"
    ending = _Ending()
    atexit.register(ending.leave)
    try:
        app(prog_name="lmswitch")
    except SystemExit as end:
        ending.code = end.code
        raise


def _open_closed_streams() -> None:
    """Give a process that was started without one of its streams one that leads nowhere."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode, encoding="utf-8"))  # noqa: SIM115 - for as long as we run


class _Ending:
    """Ends an interrupted process without taking the interpreter apart.

    That takes as long as Ctrl-C may take in all: half a second on a busy machine. It is registered
    first and so runs last, when the connections are closed.
    """

    def __init__(self) -> None:
        self.code: object = None

    def leave(self) -> None:
        """Leave at once, if it was an interrupt."""
        if self.code == INTERRUPTED:
            with suppress(OSError):
                sys.stdout.flush()
            os._exit(INTERRUPTED)
