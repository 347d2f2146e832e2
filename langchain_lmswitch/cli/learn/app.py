"""`lmswitch learn`: its commands, wired together."""

import typer

from langchain_lmswitch.cli.learn.moving import export, import_
from langchain_lmswitch.cli.learn.reset import reset
from langchain_lmswitch.cli.learn.show import show

learn: typer.Typer = typer.Typer(
    help="Show what answers have taught, forget it, or take it elsewhere.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
learn.command()(show)
learn.command()(reset)
learn.command()(export)
learn.command(name="import")(import_)
