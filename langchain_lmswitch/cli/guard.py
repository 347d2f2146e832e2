"""Errors as a user meets them: one paragraph with what to do next, and an exit code.

0. All went well.
1. Any other failure; from `replay`, that a decision comes out otherwise; from `learn`, that nothing
   was forgotten or could be read; from `doctor`, that something is wrong.
2. Wrong usage: an option, a setting or a request that cannot be.
3. No model host: none was found, or it refused us, or it stopped answering.
4. No suitable model: none is installed, none can do it, or none has that name.
5. Not enough memory, or the model could not be loaded, or too many wait for that already.
6. A download failed.

130 is an interrupt (Ctrl-C).
"""

import errno
import json
import os
import sys
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer
from typer.core import TyperGroup

from langchain_lmswitch.cli.options import JSON
from langchain_lmswitch.cli.screen import say
from langchain_lmswitch.cli.session import Session

if TYPE_CHECKING:
    from langchain_lmswitch.errors import LMSwitchError

FAILED: Final = 1
USAGE: Final = 2
NO_HOST: Final = 3
NO_MODEL: Final = 4
NO_ROOM: Final = 5
NO_DOWNLOAD: Final = 6
INTERRUPTED: Final = 130

_UNWRITABLE: Final = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC)

EPILOG: Final = """\b
Exit codes:
  0    all went well
  1    any other failure; from replay: a decision comes out otherwise; from
       doctor: something is wrong
  2    wrong usage: an option, a setting or a request that cannot be
  3    no model host: none was found, it refused us, or it stopped answering
  4    no suitable model: none installed (`lmswitch pull starter` helps), none able
  5    not enough memory, or the model could not be loaded, or too many wait for that
  6    a download failed
  130  interrupted"""


class Guarded(TyperGroup):
    """The commands, with every error that a user can do something about caught and told."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]  # typer has its own click
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            _end_line()
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            _drop_stdout()
            raise typer.Exit(FAILED) from None
        except Exception as error:
            if isinstance(ctx.obj, Session) and ctx.obj.debug:
                raise
            _explain(error, as_json=bool(ctx.meta.get(JSON)))
            raise


def exit_code(error: "LMSwitchError") -> int:
    """Give the exit code that says best what kind of error it was."""
    from langchain_lmswitch import errors

    match error:
        case errors.InvalidRequest() | errors.BadSettings():
            return USAGE
        case (
            errors.HostNotFound() | errors.HostLost() | errors.HostTimeout() | errors.HostRejected()
        ):
            return NO_HOST
        case errors.NoSuitableModel() | errors.UnknownModel() | errors.ModelDenied():
            return NO_MODEL
        case errors.NotEnoughMemory() | errors.LoadFailed() | errors.QueueFull():
            return NO_ROOM
        case errors.DownloadFailed():
            return NO_DOWNLOAD
        case _:
            return FAILED


def _explain(error: Exception, *, as_json: bool) -> None:
    """End with the message and the exit code of an error that we know; others pass."""
    from pydantic import ValidationError

    from langchain_lmswitch.errors import LMSwitchError

    match error:
        case LMSwitchError():
            _tell(error, str(error), exit_code(error), as_json=as_json)
        case ValidationError():
            _tell(error, _option_message(error), USAGE, as_json=as_json)
        case OSError():
            _tell(error, _system_message(error), FAILED, as_json=as_json)
        case _:
            return


def _tell(error: Exception, message: str, code: int, *, as_json: bool) -> NoReturn:
    paragraph = " ".join(message.split())
    if as_json:
        record = {"error": type(error).__name__, "message": paragraph}
        say(json.dumps(record, ensure_ascii=False), stderr=True)
    else:
        say(f"lmswitch: {paragraph}", stderr=True)
    raise typer.Exit(code) from None


def _option_message(error: Any) -> str:
    """Say which options cannot be; settings have an error of their own."""
    told = [
        f"{'.'.join(map(str, one['loc'])) or 'This'} cannot be {one['input']!r}: {one['msg']}."
        for one in error.errors(include_url=False, include_context=False)
    ]
    return f"{' '.join(told)} Change the option."


def _system_message(error: OSError) -> str:
    """Say what the system refused, and who tells more of folders and disks."""
    if error.errno not in _UNWRITABLE or not error.filename:
        return str(error)
    told = f"{error.strerror}: {error.filename}."
    return f"{told} `lmswitch doctor` looks into what is wrong with folders and disks."


def _end_line() -> None:
    """Leave the prompt of the shell on a line of its own."""
    if sys.stderr.isatty():
        typer.echo(err=True)


def _drop_stdout() -> None:
    """Let the flush at the end of the process go nowhere: the reader is gone."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
