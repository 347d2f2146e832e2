"""The screen of `status`: host and memory, then models, answers and decisions as tables."""

import time
from typing import TYPE_CHECKING, Final

from langchain_lmswitch.cli.bars import color, drawn, legend, letter
from langchain_lmswitch.cli.screen import table
from langchain_lmswitch.cli.status.past import SHOWN
from langchain_lmswitch.cli.status.seen import Choice, Held, Status
from langchain_lmswitch.types.units import UNKNOWN, duration, plural, size

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

    from langchain_lmswitch.types.answers import AnswerRecord

KINDS: Final = {
    "explicit": "the address you gave",
    "lmstudio": "LM Studio",
    "embedded": "embedded host",
}
_DOING: Final = {
    "processingPrompt": "reads",
    "generating": "writes",
    "computingEmbedding": "embeds",
}
_LABEL_COLUMNS: Final = 8
_MOST_COLUMNS: Final = 72
"""Of a bar: a longer one tells no more."""
_FIXED_ROWS: Final = 15
"""Host, headings, and blank lines between the tables."""
_BAR_ROWS: Final = 3
_WIDE_COLUMNS: Final = 100
"""From here on all columns of the tables are shown."""


def screen(
    now: Status, *, columns: int, latest: int = SHOWN, plain: bool = False
) -> "list[RenderableType]":
    """Lay out all there is to see.

    Args:
        now: What was seen.
        columns: The width of the terminal.
        latest: How many answers and how many decisions.
        plain: Whether the terminal shows ASCII only.
    """
    wide = columns >= _WIDE_COLUMNS
    parts: list[RenderableType] = [overview(now, columns=columns, plain=plain)]
    if now.held:
        parts += ["", residents(now, wide=wide)]
    if now.past.answers[:latest]:
        parts += ["", answers(now.past.answers[:latest], wide=wide)]
    if now.past.choices[:latest]:
        parts += ["", choices(now.past.choices[:latest], wide=wide)]
    return parts


def fitting(now: Status, *, rows: int) -> int:
    """Tell how many answers, and how many decisions, a terminal of so many rows has room for."""
    rest = rows - _FIXED_ROWS - _BAR_ROWS * len(now.bars) - len(now.held)
    return max(1, min(SHOWN, rest // 2))


def overview(now: Status, *, columns: int, plain: bool = False) -> "Table":
    """Lay out the host and the memory."""
    from rich.table import Table

    width = min(_MOST_COLUMNS, max(10, columns - _LABEL_COLUMNS))
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(min_width=_LABEL_COLUMNS - 2, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("host", _host_line(now))
    for bar in now.bars:
        lines = legend(bar)
        if bar.total_bytes is not None and bar.free_bytes is not None:
            lines = [drawn(bar, width, plain=plain), *lines]
        for name, line in zip([bar.name, "", ""], lines, strict=False):
            grid.add_row(name, line)
    for words in _gpu_lines(now):
        grid.add_row("GPU", words)
    if now.address:
        grid.add_row("loaded", _loaded_line(now))
    if now.past.silence:
        grid.add_row("past", now.past.silence)
    return grid


def _host_line(now: Status) -> str:
    if now.trouble:
        return now.trouble
    if not now.address:
        return "none running; `lmswitch ask` starts the embedded host if it is installed"
    return f"{now.address} ({KINDS.get(now.kind, now.kind)})"


def _gpu_lines(now: Status) -> list[str]:
    """Say of GPUs what no bar shows."""
    gpus = now.snapshot.gpus
    if gpus is None:
        return [UNKNOWN]
    if not gpus:
        return ["none"]
    return [f"{one.name}, shares the main memory" for one in gpus if one.unified]


def _loaded_line(now: Status) -> str:
    if not now.held:
        return "nothing"
    queued = sum(one.state.queued for one in now.held if one.state)
    requests = f"; {plural(queued, 'request')} in hand or waiting" if queued else ""
    return f"{plural(len(now.held), 'model')}{requests}"


def residents(now: Status, *, wide: bool = True) -> "Table":
    """Lay out the models in memory; the letters are those in the bars.

    What is empty for all is left out: the model where its name stands in what it is loaded as, and
    who uses it. Narrow terminals get the name alone.
    """
    headings = (
        "",
        "loaded as" if wide else "model",
        "model",
        "context",
        "holds",
        "state",
        "unloads",
        "use",
    )
    rows = [_resident(one, letter(number), now, wide=wide) for number, one in enumerate(now.held)]
    shown = [place for place in range(len(headings)) if any(row[place] for row in rows)]
    cells = [[row[place] for place in shown] for row in rows]
    return table(*[headings[place] for place in shown], rows=cells, right=("context", "holds"))


def _resident(one: Held, sign: str, now: Status, *, wide: bool) -> "tuple[str | Text, ...]":
    from rich.text import Text

    from langchain_lmswitch.switch.reckoner import OURS

    resident = one.resident
    named = resident.identifier in {resident.key, f"{OURS}{resident.key}"}
    return (
        Text(sign, style=f"bold {color(sign)}"),
        resident.key if named and not wide else resident.identifier,
        resident.key if wide and not named else "",
        f"{resident.context_tokens:,}" if resident.context_tokens else UNKNOWN,
        size(one.ram_bytes + one.vram_bytes),
        _state(one),
        _unloads(one, now.at_s),
        _use(one),
    )


def _state(one: Held) -> str:
    if one.state is None:
        return UNKNOWN
    doing = "idle" if one.state.idle else _DOING.get(one.state.status, "busy")
    return f"{doing}, {one.state.queued - 1} queued" if one.state.queued > 1 else doing


def _unloads(one: Held, now_s: float) -> str:
    if one.resident.ttl_s is None:
        return "never"
    left_s = one.left_s(now_s)
    idle = f"after {duration(one.resident.ttl_s)} idle"
    return idle if left_s is None else f"in {duration(left_s)}"


def _use(one: Held) -> str:
    pids = ", ".join(map(str, one.users))
    used = f"by process{'es' if len(one.users) > 1 else ''} {pids}" if pids else ""
    return ", ".join(filter(None, ["pinned" if one.pinned else "", used]))


def answers(latest: "Sequence[AnswerRecord]", *, wide: bool = True) -> "Table":
    """Lay out how fast the latest answers were."""
    headings = ["answered", "model", "task", "tokens/s", "tokens", *(["first token"] * wide)]
    rows = [
        (
            _clock(one.at_s),
            one.key,
            one.task,
            UNKNOWN if one.tokens_per_second is None else f"{one.tokens_per_second:,.1f}",
            UNKNOWN if one.answer_tokens is None else f"{one.answer_tokens:,}",
            *([UNKNOWN if one.first_token_s is None else duration(one.first_token_s)] * wide),
        )
        for one in latest
    ]
    return table(*headings, rows=rows, right=("tokens/s", "tokens", "first token"))


def choices(latest: "Sequence[Choice]", *, wide: bool = True) -> "Table":
    """Lay out the latest decisions."""
    headings = ["decided", "task", "model", "load", *(["why"] * wide)]
    rows = [
        (
            _clock(one.at_s),
            one.task or UNKNOWN,
            one.model or "nobody",
            _load(one),
            *([one.why] * wide),
        )
        for one in latest
    ]
    return table(*headings, rows=rows, right=("load",))


def _load(one: Choice) -> str:
    if one.how != "load":
        return ""
    return UNKNOWN if one.load_s is None else duration(one.load_s)


def _clock(at_s: float) -> str:
    """Tell the time of day, with the date if it is another day's."""
    then = time.localtime(at_s)
    today = time.localtime()[:3] == then[:3]
    return time.strftime("%H:%M:%S" if today else "%Y-%m-%d %H:%M", then)
