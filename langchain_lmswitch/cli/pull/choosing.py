"""Which model, and which form of it: as it was named, or as somebody answers when asked."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from langchain_lmswitch.cli.pull.outlook import Outlook, recommended
from langchain_lmswitch.cli.screen import plain, remark, show_beside, table
from langchain_lmswitch.errors import DownloadFailed
from langchain_lmswitch.types.downloads import DownloadOption, Hit
from langchain_lmswitch.types.units import UNKNOWN, size

if TYPE_CHECKING:
    from rich.table import Table

T = TypeVar("T")

_NAMED: Final = 8
"""Names in an error at most."""
_SPARE_BYTES: Final = 64 << 20
"""Of a disk, to be left."""


def parsed(name: str) -> tuple[str, str]:
    """Take `NAME@QUANTIZATION` apart, as LM Studio writes it; the second may be empty."""
    model, _, quantization = name.partition("@")
    return model, quantization


def choose_model(name: str, hits: Sequence[Hit], *, where: str, asks: bool) -> Hit:
    """Choose among the models that a name may mean.

    1. The one of that very name, or the only one.
    2. The one that somebody picks, if there is somebody.

    Raises:
        DownloadFailed: There is none, or there are several.
    """
    exact = [hit for hit in hits if hit.exact]
    if len(exact) == 1 or len(hits) == 1:  # 1
        return (exact or list(hits))[0]
    if hits and asks:  # 2
        rows = [(str(number), hit.name) for number, hit in enumerate(hits, 1)]
        show_beside(table("", "model", rows=rows, right=("",)))
        return _picked("Which model", hits, default=1)
    if not hits:
        raise DownloadFailed(
            name,
            reason=f"{where} has no model of that name that can be reached from here",
            remedy="`lmswitch pull starter` works everywhere; other names are "
            "publisher/repository or words to search for.",
        )
    names = ", ".join(hit.name for hit in hits[:_NAMED])
    raise DownloadFailed(
        name, reason=f"several models are meant by it: {names}", remedy="Give one of these names."
    )


def choose_option(
    name: str, outlooks: Sequence[Outlook], *, quantization: str, asks: bool, anyway: bool
) -> Outlook:
    """Choose among the forms of a model.

    1. Those of the quantization that was named; else all.
    2. The only one, or the one that somebody picks; `anyway` asks nobody.
    3. Else the recommended one.
    4. If none would fit, the smallest, for what comes next: see `check_fit`.

    Raises:
        DownloadFailed: There is none of that quantization.
    """
    found = [one for one in outlooks if _is(one.option, quantization)]  # 1
    if not found:
        known = ", ".join(one.option.quantization or one.option.name for one in outlooks[:_NAMED])
        raise DownloadFailed(
            name,
            reason=f"there is no {quantization or 'file'} of it (there is {known or 'nothing'})",
            remedy="Write the quantization after the name, as in NAME@Q4_K_M.",
        )
    best = recommended(found)
    if len(found) > 1 and asks and not anyway:  # 2
        show_beside(listing(found))
        return _picked("Which one", found, default=found.index(best) + 1 if best else None)
    if best and len(found) > 1:
        remark(f"{best.option.name} is taken of {len(found)}; --list shows all.")
    return best or min(found, key=lambda one: one.option.size_bytes or 0)  # 3, 4


def check_fit(name: str, one: Outlook, *, asks: bool, anyway: bool) -> None:
    """Make sure that a model is wanted even if it would not fit.

    Raises:
        DownloadFailed: It would not, and nobody wants it all the same.
    """
    import typer

    if one.fits is not False or anyway:
        return
    if asks and typer.confirm(plain(f"{one.option.name} {one.words}. Download it?"), err=True):
        return
    raise DownloadFailed(
        name,
        reason=f"{one.option.name} {one.words}",
        remedy="--list shows smaller ones; --yes downloads it all the same.",
    )


def check_disk(option: DownloadOption, folder: Path | None, *, anyway: bool) -> None:
    """Make sure that there is room on the disk, as far as that is known.

    Raises:
        DownloadFailed: There is not.
    """
    import shutil

    if folder is None or option.size_bytes is None or anyway:
        return
    free_bytes = shutil.disk_usage(folder).free
    if free_bytes < option.size_bytes + _SPARE_BYTES:
        raise DownloadFailed(
            option.name,
            reason=f"{folder} has {size(free_bytes)} free and {size(option.size_bytes)} are needed",
            remedy="Make room there, or choose a smaller one; --yes tries all the same.",
        )


def listing(outlooks: Sequence[Outlook]) -> "Table":
    """Lay out what there is of a model, with what would become of it here."""
    best = recommended(outlooks)
    free = next((one.free_bytes for one in outlooks if one.free_bytes is not None), None)
    fits = "fits" if free is None else f"fits {size(free)}"
    rows = [
        (
            str(number),
            one.option.quantization or one.option.name,
            size(one.option.size_bytes),
            "" if one.needs_bytes is None else size(one.needs_bytes),
            _fit(one),
            "recommended" if one is best else "",
        )
        for number, one in enumerate(outlooks, 1)
    ]
    right = ("size", "needs about")
    return table("", "form", "size", "needs about", fits, "", rows=rows, right=right)


def _fit(one: Outlook) -> str:
    if one.fits is None:
        return UNKNOWN
    if one.needs_bytes is None:
        return f"{'yes' if one.fits else 'no'}, says its host"
    return f"with {one.context_tokens:,} tokens" if one.fits else "no"


def _is(option: DownloadOption, quantization: str) -> bool:
    wanted = quantization.casefold()
    return not wanted or wanted in {option.quantization.casefold(), option.name.casefold()}


def _picked(question: str, among: Sequence[T], *, default: int | None) -> T:
    import typer

    while True:
        number: int = typer.prompt(f"{question} (1 to {len(among)})", default, type=int, err=True)
        if 1 <= number <= len(among):
            return among[number - 1]
        typer.echo(f"{number or UNKNOWN} is not there.", err=True)
