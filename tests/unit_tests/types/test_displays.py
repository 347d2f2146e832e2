"""Every value shows the same facts as a line of text and as HTML, whatever texts are in it."""

import json
import pickle
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import HumanMessage

from langchain_lmswitch import Decision, Fitted, types
from langchain_lmswitch.errors import InvalidRequest
from langchain_lmswitch.types.contexts import Clipped, ContextReport, Recalled
from langchain_lmswitch.types.decisions import Candidate
from langchain_lmswitch.types.displays.markup import html
from langchain_lmswitch.types.displays.sheets import Bar, Sheet, printable, table
from langchain_lmswitch.types.displays.shown import Shown
from langchain_lmswitch.types.displays.text import line
from langchain_lmswitch.types.machine import UNKNOWN_MACHINE, Footprint, Gpu, Snapshot
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident
from langchain_lmswitch.types.plans import Load, Refusal, Use

GIB: Final = 2**30
HOSTILE: Final = (
    "<script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "</td></table>&amp;&#60;b>",
    "\x1b[2J\r\n\x00\u202e\u2028\ud800",
    "` | ; <ModelCard",
)
TAGS: Final = {"div", "p", "span", "b", "table", "thead", "tbody", "tr", "th", "td", "samp"}
ATTRIBUTES: Final = {"style", "scope", "aria-hidden"}

texts = st.one_of(
    st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=()), max_size=12)
)
numbers = st.floats(-100, 100)
cells = st.one_of(texts, st.builds(Bar, text=texts.filter(bool), share=st.floats()))
sheets: st.SearchStrategy[Sheet] = st.deferred(
    lambda: st.builds(
        Sheet,
        kind=texts,
        title=texts,
        lead=texts,
        facts=st.lists(st.tuples(texts, cells), max_size=3).map(tuple),
        tables=st.lists(st.tuples(cells, cells, cells), max_size=3).map(
            lambda rows: table("Title", "one", "two", "three", rows=rows, right=("two",))
        ),
        parts=st.lists(sheets, max_size=1).map(tuple),
    )
)
reports = st.builds(
    ContextReport,
    mode=st.sampled_from(("on", "observe", "off")),
    tokens_before=st.none() | st.integers(0, 10**6),
    evicted_messages=st.integers(0, 300),
    recalled=st.lists(
        st.builds(Recalled, message=st.integers(0, 99), id=texts, why=st.tuples(texts)), max_size=2
    ).map(tuple),
    clipped=st.tuples(st.builds(Clipped, message=st.just(3), left_out_tokens=st.integers(1, 9**9))),
    orphans=st.tuples(st.integers(0, 99)),
)
candidates = st.builds(
    Candidate,
    key=texts,
    score=numbers,
    reasons=st.tuples(texts),
    parts=st.dictionaries(st.sampled_from(("prior", "learnt", "last answer")), numbers),
    answer_s=st.floats(0, 1e5),
    load_s=st.floats(0, 1e5),
    fits=st.none() | st.booleans(),
    resident=st.booleans(),
    footprint_bytes=st.none() | st.integers(0, 2**50),
    note=texts,
    lacks=st.tuples(texts),
    wins_if=st.tuples(texts, texts),
)
decisions = st.builds(
    Decision,
    model=texts,
    identifier=texts,
    task=texts,
    reason=texts,
    candidates=st.lists(candidates, max_size=3).map(tuple),
    evicted=st.tuples(texts),
    fallbacks=st.tuples(texts, texts),
    load_s=st.floats(0, 1e5),
    queued_s=st.floats(0, 1e5),
    context_tokens=st.integers(0, 10**6),
    context=st.none() | reports,
    tool_calling=st.sampled_from(("", "trained", "constrained", "untrained")),
    cached=st.booleans(),
)
bytes_ = st.none() | st.integers(0, 2**50)
gpus = st.builds(Gpu, name=texts, total_bytes=bytes_, free_bytes=bytes_, shared_free_bytes=bytes_)
residents = st.builds(
    Resident,
    key=texts,
    identifier=texts,
    reference=texts,
    ttl_s=st.none() | st.floats(0, 1e9),
    last_used_s=st.none() | st.floats(),
)
footprints = st.builds(
    Footprint,
    weights_bytes=st.integers(0, 2**50),
    kv_bytes=st.integers(0, 2**50),
    vram_bytes=st.integers(0, 2**50),
    source=st.sampled_from(("ledger", "host", "header", "size")),
    fits_by_host=st.none() | st.booleans(),
)
by_kind: Final[dict[type[Shown], st.SearchStrategy[Any]]] = {
    Candidate: candidates,
    ContextReport: reports,
    Decision: decisions,
    Fitted: st.builds(Fitted, messages=st.just((HumanMessage("Secret"),)), report=reports),
    Footprint: footprints,
    Gpu: gpus,
    Load: st.builds(
        Load,
        spec=st.builds(LoadSpec, key=texts, identifier=texts),
        footprint=st.none() | footprints,
        evict=st.lists(residents, max_size=2).map(tuple),
    ),
    ModelCard: st.builds(
        ModelCard, key=texts, display_name=texts, params=texts, path=texts, device=texts
    ),
    Refusal: st.builds(Refusal, key=texts, reason=texts, blockers=st.tuples(texts)),
    Resident: residents,
    Snapshot: st.builds(
        Snapshot,
        ram_total_bytes=bytes_,
        ram_free_bytes=bytes_,
        gpus=st.none() | st.lists(gpus, max_size=2).map(tuple),
        scope=st.sampled_from(("local", "remote", "shared")),
        swap_total_bytes=bytes_,
        swap_used_bytes=bytes_,
        budget_bytes=bytes_,
    ),
    Use: st.builds(Use, resident=residents, footprint=st.none() | footprints),
}
values = st.one_of(*by_kind.values())


class Page(HTMLParser):
    """What a browser makes of it: the text, and the elements with their attributes."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.styles: list[str] = []
        self._open: list[str] = []
        self.feed(source)
        self.close()
        assert not self._open, "something is not closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open.append(tag)
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.styles += [value or "" for name, value in attrs if name == "style"]

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def facts(sheet: Sheet) -> Iterator[str]:
    """Give every text that the sheet tells."""
    yield from (sheet.kind, sheet.title, sheet.lead)
    for label, value in sheet.facts:
        yield from (label, plain(value))
    for one in sheet.tables:
        yield from (one.title, *(plain(cell) for row in one.rows for cell in row))
        yield from one.heads[1:]
    for part in sheet.parts:
        yield from facts(part)


def plain(cell: Any) -> str:
    return cell.text if isinstance(cell, Bar) else cell


def missing(sheet: Sheet, shown: str) -> list[str]:
    return [one for one in map(printable, facts(sheet)) if one.strip() not in shown]


@given(sheets)
@settings(max_examples=60, deadline=None)
def test_both_forms_tell_every_fact_and_nothing_breaks_out(sheet: Sheet) -> None:
    text, page = line(sheet), Page(html(sheet))

    assert missing(sheet, text) == []
    assert missing(sheet, page.text) == []
    assert text.isprintable(), "it is one line, and steers no terminal"
    assert page.text.isprintable()
    assert page.tags <= TAGS
    assert page.attributes <= ATTRIBUTES


@given(values)
@settings(max_examples=150, deadline=None)
def test_every_value_tells_the_same_in_both_forms(value: Any) -> None:
    sheet, text, page = value._sheet(), repr(value), Page(value._repr_html_())

    assert text.startswith(f"<{type(value).__name__}")
    assert missing(sheet, text) == missing(sheet, page.text) == []
    assert text.isprintable()
    assert page.tags <= TAGS
    assert "Secret" not in text + page.text, "what people write is not shown"


def test_no_value_that_shows_itself_is_left_out() -> None:
    for module in iter_modules(types.__path__, "langchain_lmswitch.types."):
        import_module(module.name)
    # A class with slots is a copy of the one that was written, so there are two of each.
    kinds = {kind.__name__ for kind in Shown.__subclasses__()}

    assert kinds == {kind.__name__ for kind in by_kind}
    assert all(kind.__repr__ is Shown.__repr__ for kind in by_kind), "made without `repr=False`"


def test_page_keeps_its_own_colors() -> None:
    """No style sets a color but a gray that light and dark shine through."""
    styles = ";".join(Page(html(shown())).styles)

    assert re.findall(r"#\w+|(?<![\w-])color|rgb\w*\([^)]*\)|url", styles)
    assert set(re.findall(r"#\w+|(?<![\w-])color\b|rgb\w*\([^)]*\)|url", styles)) == {
        "rgba(128,128,128,.35)"
    }


def shown() -> Sheet:
    return Sheet(
        kind="Kind",
        facts=(("half", Bar(text="50%", share=0.5)),),
        tables=table("Numbers", "name", "share", "none", rows=[("a", "1", ""), ("b", "", "")]),
    )


def test_bar_is_drawn_without_styles_and_columns_that_tell_nothing_are_left_out() -> None:
    drawn = html(shown())
    bare = re.sub(r' style="[^"]*"', "", drawn)

    assert '<samp aria-hidden="true">█████░░░░░</samp> 50%' in bare
    assert "share" in bare
    assert "none" not in bare
    assert line(shown()) == "<Kind | half 50% | Numbers: a (share 1), b>"


@pytest.mark.parametrize(
    ("share", "full"), [(0, 0), (1, 10), (7, 10), (-1, 0), (float("nan"), 0), (float("inf"), 10)]
)
def test_bar_is_as_long_as_its_share(share: float, full: int) -> None:
    drawn = html(Sheet(kind="", facts=(("", Bar(text="x", share=share)),)))

    assert drawn.count("█") == full
    assert drawn.count("░") == 10 - full


# --- single values ----------------------------------------------------------------------------


def decision() -> Decision:
    coder = Candidate(
        key="coder",
        score=0.42,
        parts={"prior": 0.45, "load": -0.03},
        fits=True,
        footprint_bytes=763 * 2**20,
        note="chosen",
    )
    tiny = Candidate(key="tiny", score=0.31, resident=True, wins_if=("at quality 0.1 or less",))
    return Decision(
        model="coder",
        identifier="lmswitch/coder",
        task="code",
        reason="coder for code (a programming language): best score of 2 candidates; it fits.",
        candidates=(coder, tiny),
        context_tokens=8192,
        load_s=2.328,
    )


def test_decision_says_why_and_who_else_there_was() -> None:
    assert repr(decision()) == (
        "<Decision coder for code (a programming language): best score of 2 candidates; it fits."
        " | Candidates: coder (score 0.420; loaded no; fits yes; needs 763 MiB;"
        " score made of prior +0.450 load -0.030; verdict chosen),"
        " tiny (score 0.310; loaded yes; fits unknown; verdict not needed;"
        " would answer at quality 0.1 or less)"
        " | What it took | loaded as lmswitch/coder; load took 2.33 s; context 8,192 tokens>"
    )


def test_refused_decision_says_so() -> None:
    refused = Decision(model="", identifier="", task="chat", reason="nobody can answer (no model)")

    assert repr(refused) == "<Decision no model for chat: nobody can answer (no model)>"


def test_what_is_unknown_is_never_zero() -> None:
    shown = [
        UNKNOWN_MACHINE,
        Gpu(name="Arc", total_bytes=None, free_bytes=None),
        ModelCard(key="a"),
        Resident(key="a", identifier="a"),
        Candidate(key="a", score=1.0),
        Load(spec=LoadSpec(key="a"), footprint=None),
        Refusal(key="a", reason="It has gone."),
    ]

    for value in shown:
        assert "unknown" in repr(value)
        assert not re.search(r"(?<![\w.,])0(?![\w.])", repr(value)), repr(value)


def test_memory_that_is_used_up_is_zero() -> None:
    full = Snapshot(ram_total_bytes=32 * GIB, ram_free_bytes=0, gpus=(), swap_total_bytes=0)

    assert "main memory free 0 MiB of 32.0 GiB" in repr(full)
    assert "swap free there is none" in repr(full)
    assert "GPUs none" in repr(full)


def test_values_stay_what_they_were() -> None:
    """They have slots, and can be hashed, compared and pickled."""
    card = ModelCard(key="a", size_bytes=5)

    assert not hasattr(card, "__dict__")
    assert pickle.loads(pickle.dumps(card)) == card == replace(card)  # noqa: S301 - our own
    assert len({card, replace(card)}) == 1


# --- read back --------------------------------------------------------------------------------


@given(decisions)
@settings(max_examples=50, deadline=None)
def test_decision_is_read_back_from_what_it_wrote(one: Decision) -> None:
    record = json.loads(json.dumps(one.to_dict()))

    assert Decision.from_dict(record).to_dict() == record
    assert Decision.from_dict(record) == Decision.from_dict(one.to_dict())


def test_what_needs_no_rounding_is_read_back_as_it_was() -> None:
    assert Decision.from_dict(decision().to_dict()) == decision()


def test_record_of_a_later_version_is_read_too() -> None:
    assert Decision.from_dict({**decision().to_dict(), "mood": "sunny"}) == decision()


@pytest.mark.parametrize("record", [{}, None, {"model": 1}, "coder"])
def test_what_is_no_record_is_refused(record: Any) -> None:
    with pytest.raises(InvalidRequest, match="response_metadata"):
        Decision.from_dict(record)
