"""`lmswitch learn export` and `import`: grades from one computer to another."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from langchain_lmswitch.cli.guard import FAILED
from langchain_lmswitch.cli.options import Json
from langchain_lmswitch.cli.screen import remark, show_json
from langchain_lmswitch.cli.session import session_of

if TYPE_CHECKING:
    from langchain_lmswitch.ledger.sqlite import SqliteLedger

To = Annotated[str, typer.Argument(metavar="FILE", help="A file; - writes standard output.")]
From = Annotated[str, typer.Argument(metavar="FILE", help="A file; - reads standard input.")]


def export(ctx: typer.Context, file: To, *, json: Json = False) -> None:
    """Write the grades to a file, as lines of JSON.

    They hold no words of anybody's. How fast models are stays here: another computer has other
    speeds. With --json the count is an object on standard output, unless the grades themselves go
    there.
    """
    from langchain_lmswitch.ledger.moving import written

    grades = _ledger(ctx).grades()
    with _opened(file, "wb") as out:
        out.writelines(f"{line}\n".encode() for line in written(grades))
    if json and file != "-":
        show_json({"file": file, "written": len(grades)})
    elif not json:
        remark(f"{len(grades):,} grades written.")


def import_(ctx: typer.Context, file: From, *, json: Json = False) -> None:
    """Add the grades of a file to those known here.

    Lines that cannot be used are passed over; grades that are known already count once. The exit
    code is 1 if no line can be used. Processes that are running hear of it within half a minute.
    """
    from langchain_lmswitch.ledger.moving import missing, read

    with _opened(file, "rb") as lines:
        found = read(lines)
    ledger = _ledger(ctx)
    added = missing(ledger.grades(), found.grades)
    if added:
        ledger.insist(lambda store: store.add(added))
    ledger.close()
    counts = {
        "added": len(added),
        "known": len(found.grades) - len(added),
        "skipped": len(found.skipped),
    }
    if json:
        show_json({**counts, "why_skipped": list(found.skipped[:20])})
    else:
        remark(f"{counts['added']:,} grades added, {counts['known']:,} were known.")
    if found.skipped and not json:
        remark(f"{counts['skipped']:,} lines passed over; {found.skipped[0]}.")
    if found.skipped and not found.grades:
        raise typer.Exit(FAILED)


def _ledger(ctx: typer.Context) -> "SqliteLedger":
    from langchain_lmswitch.ledger.sqlite import SqliteLedger

    return SqliteLedger(session_of(ctx).settings().ledger_path)


@contextmanager
def _opened(name: str, mode: str) -> Iterator[IO[bytes]]:
    if name == "-":
        yield (sys.stdin if mode == "rb" else sys.stdout).buffer
        return
    with Path(name).open(mode) as file:
        yield file
