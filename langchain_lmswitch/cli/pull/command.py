"""`lmswitch pull`: the command."""

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from langchain_lmswitch.cli.completing import pullable
from langchain_lmswitch.cli.downloading import DownloadBar
from langchain_lmswitch.cli.options import BaseUrl, Json
from langchain_lmswitch.cli.screen import remark, say, show, show_json
from langchain_lmswitch.cli.session import Session, session_of
from langchain_lmswitch.types.units import size as readable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_lmswitch.cli.pull.outlook import Outlook
    from langchain_lmswitch.cli.pull.sources import Source
    from langchain_lmswitch.types.downloads import Arrival

Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME",
        help="`starter`, the name of a starter model, publisher/repository[/file.gguf] of the "
        "Hugging Face Hub, or words to search for; NAME@Q4_K_M names a quantization.",
        autocompletion=pullable,
    ),
]
Size = Annotated[
    Literal["s", "l"],
    typer.Option("--size", help="Of `starter`: s is 0.6 GB; l adds a 1.5B model, 1.1 GB more."),
]
Yes = Annotated[
    bool,
    typer.Option(
        "--yes", "-y", help="Ask nothing: take what is recommended, even if it would not fit."
    ),
]
List = Annotated[
    bool, typer.Option("--list", help="Only list what there is, and whether it would fit.")
]


def pull(
    ctx: typer.Context,
    name: Name,
    *,
    size: Size = "s",
    yes: Yes = False,
    only_list: List = False,
    json: Json = False,
    base_url: BaseUrl = None,
) -> None:
    """Download models.

    A running LM Studio downloads by itself; without one, models are put where the embedded host
    finds them. An interrupted download goes on where it stopped when the command is run again.
    """
    from langchain_lmswitch.cli.pull.sources import find_source

    session = session_of(ctx, base_url)
    asks = not (yes or json) and session.can_ask()
    source = find_source(session)
    try:
        if only_list:
            _list(session, source, name, size, json=json)
            return
        chosen = [
            _chosen(session, source, one, asks=asks, anyway=yes) for one in _names(name, size)
        ]
        arrivals = _arrived(source, chosen)
    except KeyboardInterrupt:
        remark("Stopped. Finished pieces are kept; the same command goes on from there.")
        raise
    finally:
        source.close()
    if json:
        show_json(record(name, source, chosen, arrivals))
    else:
        _say_where(chosen, arrivals)


def _names(name: str, size: Literal["s", "l"]) -> list[str]:
    from langchain_lmswitch.embedded.starter import starter_names

    return starter_names(size) if name == "starter" else [name]


def _list(
    session: Session, source: "Source", name: str, size: Literal["s", "l"], *, json: bool
) -> None:
    from langchain_lmswitch.cli.pull.choosing import listing

    asks = not json and session.can_ask()
    found = {model: _outlooks(session, source, model, asks=asks)[1] for model in _names(name, size)}
    if json:
        options = [_option(one) for outlooks in found.values() for one in outlooks]
        show_json({"name": name, "from": source.where, "options": options})
        return
    for number, (model, outlooks) in enumerate(found.items()):
        heading = [f"\n{model}" if number else model] if len(found) > 1 else []
        show(*heading, listing(outlooks))


def _outlooks(
    session: Session, source: "Source", name: str, *, asks: bool
) -> "tuple[str, list[Outlook]]":
    """Find what there is of a model, and the quantization that was named."""
    from langchain_lmswitch.cli.pull.choosing import choose_model, parsed
    from langchain_lmswitch.cli.pull.outlook import outlook

    model, quantization = parsed(name)
    hit = choose_model(model, source.search(model), where=source.where, asks=asks)
    settings = session.settings()
    snapshot = session.measure().snapshot() if source.local else None
    return quantization, [
        outlook(
            one,
            snapshot,
            context_tokens=settings.context_tokens,
            headroom_bytes=settings.headroom_bytes,
        )
        for one in source.options(hit)
    ]


def _chosen(
    session: Session, source: "Source", name: str, *, asks: bool, anyway: bool
) -> "Outlook":
    from langchain_lmswitch.cli.pull.choosing import check_disk, check_fit, choose_option

    quantization, found = _outlooks(session, source, name, asks=asks)
    one = choose_option(name, found, quantization=quantization, asks=asks, anyway=anyway)
    check_fit(name, one, asks=asks, anyway=anyway)
    check_disk(one.option, source.folder, anyway=anyway)
    return one


def _arrived(source: "Source", chosen: "Sequence[Outlook]") -> "list[Arrival]":
    arrivals = []
    with DownloadBar() as bar:
        for one in chosen:
            option = one.option
            arrivals.append(source.download(option, bar.watch(option.name)))
            bar.finish(option.name)
    return arrivals


def _say_where(chosen: "Sequence[Outlook]", arrivals: "Sequence[Arrival]") -> None:
    for one, arrival in zip(chosen, arrivals, strict=True):
        for file in arrival.files:
            say(f"{file}  {readable(file.stat().st_size)}")
        if not arrival.files:
            say(f"{arrival.key or one.option.name}  {readable(one.option.size_bytes)}")
    remark('Next: lmswitch ask "Write a Python function that reverses a string."')


def record(
    name: str, source: "Source", chosen: "Sequence[Outlook]", arrivals: "Sequence[Arrival]"
) -> dict[str, Any]:
    """Write what was downloaded as JSON values."""
    return {
        "name": name,
        "from": source.where,
        "models": [
            arrival.key or one.option.name for one, arrival in zip(chosen, arrivals, strict=True)
        ],
        "files": [str(file) for arrival in arrivals for file in arrival.files],
        "options": [_option(one) for one in chosen],
    }


def _option(one: "Outlook") -> dict[str, Any]:
    return {
        "name": one.option.name,
        "quantization": one.option.quantization or None,
        "size_bytes": one.option.size_bytes,
        "recommended": one.option.recommended,
        "fits": one.fits,
        "needs_bytes": one.needs_bytes,
        "free_bytes": one.free_bytes,
        "context_tokens": one.context_tokens or None,
    }
