"""`lmswitch serve`: the embedded host in the foreground."""

import json as text
import logging
import sys
from typing import Annotated

import typer

from langchain_lmswitch.cli.options import Json
from langchain_lmswitch.cli.session import Serve, session_of

Port = Annotated[
    int | None,
    typer.Option("--port", min=1, max=65535, help="Where to listen; else any free port."),
]
NoAuth = Annotated[
    bool, typer.Option("--no-auth", help="Admit every program on this machine, without a token.")
]
Child = Annotated[bool, typer.Option("--child", hidden=True)]


def serve(
    ctx: typer.Context,
    *,
    port: Port = None,
    no_auth: NoAuth = False,
    child: Child = False,
    json: Json = False,
) -> None:
    """Run the embedded host until Ctrl-C.

    It serves this machine only. Without it, whoever needs a host starts one in the background,
    which stops soon after its last client has gone, and what `lmswitch load` has loaded. With
    --json it prints one object on one line when it serves.
    """
    from langchain_lmswitch.machine.lists import SharedList

    session = session_of(ctx)
    settings = session.settings()
    by_hand = SharedList(settings.loaded_by_hand_path)
    if child:
        _log_to_stderr()
    tell = _record if json else _announce
    (session.serve or _embedded())(
        settings,
        port=port,
        child=child,
        no_auth=no_auth,
        snapshot=session.measure().snapshot,
        by_hand=lambda: by_hand.names,
        on_ready=None if child else lambda address: tell(address, no_auth=no_auth),
    )


def _embedded() -> Serve:
    try:
        from langchain_lmswitch.embedded.server import run
    except ImportError as error:
        from langchain_lmswitch.errors import MissingExtra

        raise MissingExtra("embedded", why=f"The embedded host needs {error.name}") from error
    return run


def _announce(address: str, *, no_auth: bool) -> None:
    typer.echo(f"Serving at {address} until Ctrl-C.")
    if no_auth:
        typer.echo("Every program on this machine is admitted (--no-auth).")
        typer.echo(f"To reach it: LMSWITCH_BASE_URL={address} lmswitch ask TEXT")
    else:
        typer.echo("Only this user's programs are admitted, with the token kept for them.")
        typer.echo("To reach it: lmswitch ask TEXT, or ChatLMSwitch() in Python; both find it.")


def _record(address: str, *, no_auth: bool) -> None:
    # Whoever started it reads the line while it goes on serving.
    typer.echo(text.dumps({"address": address, "auth": not no_auth}))
    sys.stdout.flush()


def _log_to_stderr() -> None:
    """Write what the host notes into its log file, which is our standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("langchain_lmswitch")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
