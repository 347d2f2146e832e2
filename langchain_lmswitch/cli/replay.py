"""`lmswitch replay`: earlier decisions, decided anew by the rules as they are now."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from langchain_lmswitch._version import __version__
from langchain_lmswitch.cli.guard import FAILED
from langchain_lmswitch.cli.options import Json
from langchain_lmswitch.cli.screen import remark, show, show_json, table
from langchain_lmswitch.cli.session import session_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_lmswitch.ledger.replaying import Replay
    from langchain_lmswitch.policy.recording import Verdict

_LAST: Final = 100

Last = Annotated[int, typer.Option("--last", "-n", min=1, help="How many decisions.")]


def replay(ctx: typer.Context, *, last: Last = _LAST, json: Json = False) -> None:
    """Decide earlier requests anew.

    Says where the present rules decide otherwise than it was done, from the same facts; nothing is
    loaded or called. The exit code is 1 if a decision differs.
    """
    from langchain_lmswitch.ledger.replaying import replay as decide_anew
    from langchain_lmswitch.ledger.sqlite import SqliteLedger

    path = session_of(ctx).settings().ledger_path
    found = [decide_anew(record) for record in SqliteLedger(path).decisions(last)]
    if json:
        show_json(report(found))
    elif not found:
        remark(f"No decision is recorded in {path}; each request records its own.")
    else:
        _tell(found)
    if not all(one.same for one in found):
        raise typer.Exit(FAILED)


def _tell(found: "Sequence[Replay]") -> None:
    same = sum(one.same for one in found)
    show(f"{same} of {len(found)} decisions come out the same.")
    if same < len(found):
        rows = [_row(one) for one in found if not one.same]
        show("", table("when", "what", "then", "now", "differs in", rows=rows))
    if versions := sorted({one.record.version for one in found if _of_other_version(one)}):
        remark(f"Differing ones of version {', '.join(versions)}: this is {__version__}.")


def _of_other_version(one: "Replay") -> bool:
    return not one.same and one.record.version != __version__


def _row(one: "Replay") -> tuple[str, ...]:
    differing = ", ".join(one.differing) or one.trouble
    if _of_other_version(one):
        differing += f" (decided by version {one.record.version})"
    return (_when(one), one.record.kind, _outcome(one.then), _outcome(one.now), differing)


def _when(one: "Replay") -> str:
    return datetime.fromtimestamp(one.record.at_s, tz=UTC).astimezone().isoformat(" ", "seconds")


def _outcome(verdict: "Verdict | None") -> str:
    if verdict is None:
        return "unknown"
    leaving = f", unload {', '.join(verdict.evict)}" if verdict.evict else ""
    reason = f": {verdict.reason}" if verdict.reason else ""
    return f"{verdict.how} {verdict.model}{leaving}{reason}"


def report(found: "Sequence[Replay]") -> dict[str, Any]:
    """Write what came out as JSON values."""
    return {
        "version": __version__,
        "decisions": len(found),
        "same": sum(one.same for one in found),
        "differing": [_record(one) for one in found if not one.same],
    }


def _record(one: "Replay") -> dict[str, Any]:
    from dataclasses import asdict

    return {
        "at_s": one.record.at_s,
        "kind": one.record.kind,
        "version": one.record.version,
        "then": asdict(one.then) if one.then else None,
        "now": asdict(one.now) if one.now else None,
        "differs": list(one.differing),
        "trouble": one.trouble,
    }
