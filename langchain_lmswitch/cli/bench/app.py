"""`lmswitch bench`: its commands, wired together."""

import typer

from langchain_lmswitch.cli.bench.context import context
from langchain_lmswitch.cli.bench.routing import routing
from langchain_lmswitch.cli.bench.switching import switching

bench: typer.Typer = typer.Typer(
    help="Measure how well this package does.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

bench.command()(switching)
bench.command()(routing)
bench.command()(context)
