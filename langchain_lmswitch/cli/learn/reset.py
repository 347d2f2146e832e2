"""`lmswitch learn reset`: what was learnt is forgotten."""

from typing import TYPE_CHECKING, Annotated

import typer

from langchain_lmswitch.cli.completing import installed
from langchain_lmswitch.cli.guard import FAILED
from langchain_lmswitch.cli.options import Json
from langchain_lmswitch.cli.screen import remark, show_json
from langchain_lmswitch.cli.session import session_of

if TYPE_CHECKING:
    from langchain_lmswitch.ledger.sqlite import SqliteLedger

Key = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="KEY",
        help="Forget what was learnt of this one only.",
        autocompletion=installed,
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask first.")]


def reset(ctx: typer.Context, *, model: Key = None, yes: Yes = False, json: Json = False) -> None:
    """Forget answers and grades.

    What loads take stays known. Processes that are running hear of it within half a minute.
    Without --yes it asks first; the exit code is 1 if nothing was forgotten.
    """
    from langchain_lmswitch.ledger.sqlite import SqliteLedger

    ledger = SqliteLedger(session_of(ctx).settings().ledger_path)
    key = _meant(ledger, model) if model else ""
    whose = f"of {key}" if key else "of all models"
    if not yes and not typer.confirm(f"Forget what was learnt {whose}?", err=True):
        remark("Nothing was forgotten.")
        raise typer.Exit(FAILED)
    forgotten = ledger.insist(lambda store: store.forget(key)) if ledger.path.exists() else 0
    ledger.close()
    if json:
        show_json({"model": key or None, "forgotten": forgotten})
    else:
        remark(f"{forgotten:,} grades {whose} are forgotten.")


def _meant(ledger: "SqliteLedger", name: str) -> str:
    """Give the key that is meant: the same, or the only one that has it as a part."""
    from langchain_lmswitch.errors import InvalidRequest

    keys = sorted({one.key for one in ledger.grades()} | {one.key for one in ledger.answers()})
    found = [key for key in keys if key == name] or [key for key in keys if name in key]
    if len(found) == 1:
        return found[0]
    known = ", ".join(found or keys) or "none"
    why = f"{name!r} may be several" if found else f"Nothing was learnt of {name!r}"
    raise InvalidRequest(f"{why}; give one of: {known}.")
