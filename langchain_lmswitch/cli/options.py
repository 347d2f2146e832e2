"""Options that several commands share."""

from typing import Annotated, Final

import typer

from langchain_lmswitch.cli.completing import chat_models

JSON: Final = "langchain_lmswitch.json"
"""Where a command notes that its output, and so its errors, are JSON."""


def _note_json(ctx: typer.Context, value: bool) -> bool:  # noqa: FBT001 - the form of a callback
    ctx.meta[JSON] = value
    return value


BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="HOST:PORT",
        help="Address of the model host; overrides LMSWITCH_BASE_URL.",
    ),
]
Json = Annotated[bool, typer.Option("--json", callback=_note_json, help="Print one JSON object.")]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="KEY",
        help="Use this model instead of choosing one.",
        autocompletion=chat_models,
    ),
]
Quality = Annotated[
    float | None,
    typer.Option("--quality", min=0.0, max=1.0, help="0 is the fastest answer, 1 the best."),
]
Question = Annotated[
    str, typer.Argument(metavar="TEXT", help="The question; - reads standard input.")
]
