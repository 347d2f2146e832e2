"""`lmswitch config`: every setting, its value, and where it comes from."""

import os
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import remark, show, show_json, table
from langchain_lmswitch.cli.session import Session, session_of
from langchain_lmswitch.types.units import size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from langchain_lmswitch.settings.files import Places
    from langchain_lmswitch.settings.layers import Origin
    from langchain_lmswitch.settings.listing import Setting

Changed = Annotated[bool, typer.Option("--changed", help="Only what is not the default.")]
PathOption = Annotated[
    bool, typer.Option("--path", help="Where files of settings are looked for, and which exist.")
]
Init = Annotated[
    bool, typer.Option("--init", help="Write a commented file of all settings; never over another.")
]
Markdown = Annotated[
    bool,
    typer.Option(
        "--markdown", help="What all settings mean, and the keys of models, as Markdown tables."
    ),
]
_NOT_SET: Final = "not set"


def config(
    ctx: typer.Context,
    *,
    changed: Changed = False,
    path: PathOption = False,
    init: Init = False,
    markdown: Markdown = False,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Show every setting, its value, where it comes from.

    Of several places the first counts: options, variables LMSWITCH_*, the lmswitch.toml of the
    project, that of the user, the default. It ends with 2 if any is wrong.
    """
    from langchain_lmswitch.settings.documenting import model_table, settings_table
    from langchain_lmswitch.settings.files import places

    match path, init, markdown:
        case False, False, False:
            _tell_settings(session_of(ctx, base_url), changed=changed, json=json)
        case True, False, False:
            _tell_places(places(), json=json)
        case False, True, False:
            _tell_written(_write_example(places()), json=json)
        case False, False, True:
            typer.echo(f"{settings_table()}\n\n{model_table()}")
        case _:
            raise typer.BadParameter("Ask for one of --path, --init and --markdown.")


def _tell_settings(session: Session, *, changed: bool, json: bool) -> None:
    """Show the settings; if some are wrong, they are marked, and the error comes last.

    Raises:
        BadSettings: Some are wrong.
    """
    from langchain_lmswitch.settings.sifting import sift

    sifted = sift(session.given)
    found = [one for one in sifted.settings if one.changed or not changed]
    if json:
        show_json({"settings": [record(one) for one in found]})
    elif found:
        show(listing(found), *_legend(found))
    elif sifted.error is None:
        from langchain_lmswitch.settings.files import places

        remark(f"All is as by default. {_first_step(places())}")
    if sifted.error is not None:
        raise sifted.error


def _first_step(where: "Places") -> str:
    written = where.project or where.user
    if written is None or not written.is_file():
        return "`lmswitch config --init` writes a file to start from."
    return f"{_near(str(written))} sets nothing yet: take the # away before what you want."


def record(one: "Setting") -> dict[str, Any]:
    """Write a setting as JSON values; the first place is the one that counts."""
    return {
        "name": one.name,
        "value": one.value,
        "changed": one.changed,
        "wrong": one.wrong,
        "from": [asdict(origin) for origin in one.origins],
    }


def listing(found: "Sequence[Setting]") -> "Table":
    """Lay settings out as a table."""
    rows = [(one.name, _marked(one), origin(one)) for one in found]
    laid = table("setting", "value", "from", rows=rows)
    for row, one in zip(laid.rows, found, strict=True):
        row.style = "red" if one.wrong else None if one.changed else "dim"
    return laid


def _marked(one: "Setting") -> str:
    return f"{value(one)} (wrong)" if one.wrong else value(one)


def _legend(found: "Sequence[Setting]") -> list[str]:
    """Say once which files the places are in: paths are too long for a table."""
    files = {place.kind: _near(place.name) for one in found for place in one.origins if place.line}
    return ["", *(f"{kind} file: {file}" for kind, file in sorted(files.items()))] if files else []


def value(one: "Setting") -> str:
    """Write a value as a person reads it; of a secret only whether there is one."""
    from langchain_lmswitch.settings.documenting import toml

    match one.value:
        case bool() if one.name == "api_key":
            return "set" if one.value else _NOT_SET
        case _ if one.value in (None, [], {}):
            return _NOT_SET
        case int() if one.name.endswith("_bytes"):
            return f"{one.value} ({size(one.value)})"
        case str():
            return _near(one.value)
        case float():
            return f"{one.value:g}"
        case _:
            return toml(one.value)


def origin(one: "Setting") -> str:
    """Say where a value comes from, and which other places it counts before."""
    counts, *others = [_place(place) for place in one.origins if place.said] or [
        str(one.origins[0])
    ]
    over = f", {'and' if one.added else 'over'} {' and '.join(others)}" if others else ""
    return f"{counts}{over}"


def _place(one: "Origin") -> str:
    match one.kind:
        case "argument":
            return "--base-url"
        case "project" | "user":
            return f"{one.kind} file, line {one.line}"
        case _:
            return str(one)


def _near(text: str) -> str:
    """Write a path in the user's home as a shell does."""
    home = ""
    with suppress(RuntimeError):  # nobody has a home here
        home = f"{Path.home()}{os.sep}"
    return f"~{os.sep}{text[len(home) :]}" if home and text.startswith(home) else text


def _tell_places(where: "Places", *, json: bool) -> None:
    if json:
        show_json(places_record(where))
    else:
        show(table("file", "place", "there", rows=[_user_row(where), _project_row(where)]))


def _user_row(where: "Places") -> tuple[str, str, str]:
    from langchain_lmswitch.settings.files import CONFIG

    whose = f"the user's ({CONFIG})" if where.named else "the user's"
    if where.user is None:
        return (whose, f"none is read: {CONFIG} is off", "")
    there = "yes" if where.user.is_file() else "no; `lmswitch config --init` writes it"
    return (whose, _near(str(where.user)), there)


def _project_row(where: "Places") -> tuple[str, str, str]:
    from langchain_lmswitch.settings.files import CONFIG, FILE

    if where.project is not None:
        return ("the project's", _near(str(where.project)), "yes")
    if where.user is None:
        return ("the project's", f"none is read: {CONFIG} is off", "")
    return ("the project's", f"{FILE} here or above, up to the home directory", "no")


def places_record(where: "Places") -> dict[str, Any]:
    """Write the places of files as JSON values; `None` where none is read."""
    return {
        whose: file and {"path": str(file), "exists": file.is_file()}
        for whose, file in (("project", where.project), ("user", where.user))
    }


def _write_example(where: "Places") -> Path:
    """Write the user's file; nobody else may read it, since a token may be put into it."""
    from langchain_lmswitch.errors import InvalidRequest
    from langchain_lmswitch.settings.documenting import example_file
    from langchain_lmswitch.settings.files import CONFIG

    if where.user is None:
        raise InvalidRequest(f"No file is read, since {CONFIG} is `off`. Unset it first.")
    where.user.parent.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(where.user, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        told = f"{where.user} is there already and stays as it is."
        raise InvalidRequest(f"{told} Edit it, or move it away first.") from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(example_file())
    return where.user


def _tell_written(file: Path, *, json: bool) -> None:
    if json:
        show_json({"written": str(file)})
    else:
        typer.echo(f"{file} is written; all in it is commented out.")
        remark("Next: edit it, and see what is in force with `lmswitch config --changed`.")
