"""A timeline in words, with the same facts as the picture."""

from collections import Counter
from collections.abc import Iterable, Iterator

from langchain_lmswitch.notebook.layout import happenings, since
from langchain_lmswitch.notebook.words import lapse
from langchain_lmswitch.types.displays.sheets import printable
from langchain_lmswitch.types.history import AnswerSpan, Departure, LoadSpan, Past, WaitSpan
from langchain_lmswitch.types.units import plural

NOTHING = "Nothing has happened yet: ask a model something, then look again."


def summary(past: Past, last_s: float | None = None) -> str:
    """Say what happened: a line for all of it, and one for each model."""
    seen = since(past, last_s)
    told = happenings(seen)
    if not told:
        return NOTHING
    first = told[0]
    begun_s = first.at_s if isinstance(first, Departure) else first.started_s
    evicted = sum(bool(one.room_for) for one in seen.departures)
    head = ", ".join(
        [
            plural(len(seen.answers), "answer"),
            plural(len(seen.loads), "load"),
            plural(evicted, "eviction"),
        ]
    )
    keys = dict.fromkeys(one.key for one in told)
    title = f"Timeline: {head} in {lapse(past.now_s - begun_s)}"
    lines = [f"  {key}: {', '.join(_of(seen, key))}" for key in keys]
    return "\n".join([title, *map(printable, lines)])


def _of(past: Past, key: str) -> Iterator[str]:
    answers = [one for one in past.answers if one.key == key]
    if answers:
        tasks = Counter(one.task for one in answers)
        kinds = ", ".join(f"{number} {task}" for task, number in tasks.items())
        yield f"{plural(len(answers), 'answer')} ({kinds}) in {_took(answers, past)}"
    if loads := [one for one in past.loads if one.key == key]:
        yield f"{plural(len(loads), 'load')} in {_took(loads, past)}"
    if failed := sum(map(bool, [*(one.failed for one in answers), *(one.failed for one in loads)])):
        yield f"{failed} failed"
    if waits := [one for one in past.waits if one.key == key]:
        yield f"waited {_took(waits, past)}"
    gone = [one.room_for for one in past.departures if one.key == key]
    if rooms := list(filter(None, gone)):
        yield f"evicted for {rooms[0]}" if len(rooms) == 1 else f"evicted {len(rooms)} times"
    if others := gone.count(""):
        yield "unloaded" if others == 1 else f"unloaded {others} times"


def _took(spans: Iterable[AnswerSpan | LoadSpan | WaitSpan], past: Past) -> str:
    return lapse(sum((one.ended_s or past.now_s) - one.started_s for one in spans))
