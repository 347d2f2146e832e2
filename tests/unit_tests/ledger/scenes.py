"""Random facts of decisions."""

from functools import cache

from hypothesis import strategies as st

from langchain_lmswitch.policy.deciding import AUTO, ChoiceFacts, Offer
from langchain_lmswitch.policy.eviction import Absentee, Occupant
from langchain_lmswitch.policy.needs import forbidding
from langchain_lmswitch.policy.planning import ANSWERING, PlanFacts, Survey
from langchain_lmswitch.policy.runs import Runs
from langchain_lmswitch.types.grades import Expected
from langchain_lmswitch.types.machine import Footprint, Gpu, Snapshot
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident
from langchain_lmswitch.types.paces import Pace
from langchain_lmswitch.types.plans import Load
from langchain_lmswitch.types.tasks import Hints, Needs, Role, Task

GIB = 2**30
KEYS = (
    "qwen2.5-coder-7b",
    "qwen2.5-7b-instruct",
    "llama-3.2-3b",
    "smollm2-135m-instruct",
    "mathstral-7b",
    "pub/gemma-3-12b-it",
    *(f"filler-{number}-1b" for number in range(12)),
)

BAD_AT_MATH = Role(models="MATH", task="math", score=0.1)

amounts = st.integers(0, 60 * GIB)
seconds = st.floats(0, 100)
moments = st.none() | st.floats(0, 2e9)
tokens = st.integers(0, 200_000)
words = st.text(max_size=12) | st.sampled_from(
    ["qwen", "*coder*", "vision", "tools", "[lq]*", "?", "MATH"]
)
kinds = st.sampled_from(["code", "math", "summary", "creative", "chat"])
gpus = st.builds(
    Gpu, name=st.just("gpu"), total_bytes=st.none() | amounts, free_bytes=st.none() | amounts
)
snapshots = st.builds(
    Snapshot,
    ram_total_bytes=st.none() | amounts,
    ram_free_bytes=st.none() | amounts,
    gpus=st.none() | st.lists(gpus, max_size=2).map(tuple),
)
footprints = st.builds(
    Footprint,
    weights_bytes=amounts,
    kv_bytes=amounts,
    vram_bytes=amounts,
    source=st.sampled_from(["ledger", "host", "header", "size"]),
    fits_by_host=st.none() | st.booleans(),
    uncertainty=st.none() | st.floats(0, 1),
)
tasks = st.builds(
    Task,
    kind=kinds,
    confidence=st.floats(0, 1),
    evidence=st.just("a code block"),
    needs=st.builds(
        Needs,
        vision=st.booleans(),
        tools=st.booleans(),
        context_tokens=tokens,
        wanted_tokens=tokens,
    ),
    hints=st.builds(
        Hints,
        quality=st.floats(0, 1),
        prefer=st.lists(words, max_size=2).map(tuple),
        require=st.lists(words, max_size=2).map(tuple),
        allow=st.sampled_from([(), (), ("qwen", "*a*"), ("vision", "nobody")]),
        deny=st.sampled_from([(), (), ("*coder*",), ("[lq]*", "MATH"), ("",)]),
        roles=st.sampled_from([(), (Role(models="[lq]*", task="code"), BAD_AT_MATH)]),
        last_model=st.sampled_from(["", *KEYS]),
        in_tool_loop=st.booleans(),
        again=st.booleans(),
    ),
)
expectations = st.sampled_from(
    [
        Expected(quality=quality, prior=0.5, spread=0.1, grades=3.0, reasons=("7B +0.500",))
        for quality in (0.2, 0.55, 0.9)
    ]
)


@cache
def specs(key: str) -> st.SearchStrategy[LoadSpec]:
    """Loads of one model."""
    return st.builds(
        LoadSpec,
        key=st.just(key),
        context_tokens=st.none() | tokens,
        identifier=st.just(f"lmswitch/{key}"),
        ttl_s=st.none() | st.floats(1, 1e6),
    )


@cache
def _card(key: str) -> st.SearchStrategy[ModelCard]:
    return st.builds(
        ModelCard,
        key=st.just(key),
        kind=st.sampled_from(["llm", "llm", "llm", "embedding"]),
        display_name=st.sampled_from(["", "Some 3B", "Some 30B A3B"]),
        path=st.just("home/of/somebody.gguf"),
        size_bytes=amounts,
        params=st.sampled_from(["", "7B", "30B-A3B", "odd"]),
        quantization=st.sampled_from(["", "Q4_K_M", "IQ2_XS"]),
        max_context_tokens=tokens,
        vision=st.booleans(),
        tool_use=st.booleans(),
        tool_grammar=st.booleans(),
    )


@cache
def _occupant(key: str) -> st.SearchStrategy[Occupant]:
    resident = st.builds(
        Resident,
        key=st.just(key),
        identifier=st.sampled_from([f"lmswitch/{key}", key]),
        kind=st.sampled_from(["llm", "embedding"]),
        reference=st.just("load-7"),
        context_tokens=tokens,
        last_used_s=moments,
    )
    keep = st.sampled_from(["", "", ANSWERING, "pinned"])
    return st.builds(Occupant, resident=resident, bytes=amounts, keep=keep, loss_s=seconds)


absentees = st.builds(Absentee, key=st.sampled_from(KEYS), bytes=amounts, gain_s=seconds)


@st.composite
def surveys(draw: st.DrawFn) -> Survey:
    """Some models in memory, each once, and perhaps one on its way."""
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=4))
    coming = draw(st.none() | st.sampled_from(KEYS))
    load = coming and Load(spec=draw(specs(coming)), footprint=draw(st.none() | footprints))
    return Survey(
        occupants=tuple(draw(_occupant(key)) for key in keys),
        snapshot=draw(snapshots),
        coming=load or None,
        absent=tuple(draw(st.lists(absentees, max_size=2))),
    )


@cache
def _offer(key: str) -> st.SearchStrategy[Offer]:
    plain = st.builds(Offer, spec=specs(key), footprint=footprints)
    smaller = st.lists(plain, max_size=1).map(tuple)
    return st.builds(Offer, spec=specs(key), footprint=footprints, smaller=smaller)


paces = st.builds(
    Pace,
    answers=st.integers(0, 32),
    read_tokens_per_second=st.none() | st.floats(1, 1e4),
    tokens_per_second=st.none() | st.floats(0.1, 1e3),
    answer_tokens=st.none() | st.floats(1, 5000),
)


runs = st.builds(
    Runs, best=st.sampled_from(["", *KEYS]), length=st.integers(0, 50), mean=st.floats(1, 50)
)


def some_keys(draw: st.DrawFn, keys: list[str]) -> list[str]:
    """Draw two of the keys at most."""
    return draw(st.lists(st.sampled_from(keys), unique=True, max_size=2)) if keys else []


@st.composite
def choices(draw: st.DrawFn) -> ChoiceFacts:
    """A choice among some models, with an offer for each; one may be named that may answer."""
    task = draw(tasks)
    keys = draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=len(KEYS)))
    cards = tuple(draw(_card(key)) for key in keys)
    chat = [card.key for card in cards if card.kind == "llm"]
    offers = {key: draw(_offer(key)) for key in chat}
    failed = some_keys(draw, chat)
    named = [one.key for one in cards if one.key in chat and not [*forbidding(one, task.hints)]]
    return ChoiceFacts(
        task=task,
        cards=cards,
        survey=draw(surveys()),
        model=draw(st.sampled_from([AUTO, *named])),
        failed={key: draw(st.text(max_size=9)) for key in failed},
        tight=tuple(failed[:1]),
        headroom_bytes=draw(st.integers(0, GIB)),
        evict_helpers=draw(st.booleans()),
        load_s={key: draw(seconds) for key in chat if draw(st.booleans())},
        expected={key: draw(expectations) for key in some_keys(draw, chat)},
        paces={key: draw(paces) for key in some_keys(draw, chat)},
        runs=draw(runs),
        curiosity=dict.fromkeys(failed, 0.02),
        fresh=tuple(failed),
        trouble=draw(st.sampled_from(["", "", "", "KeyError"])),
        offers=offers,
    )


plans = st.builds(
    PlanFacts,
    spec=st.sampled_from(KEYS).flatmap(specs),
    footprint=st.none() | footprints,
    survey=surveys(),
    needed_tokens=tokens,
    headroom_bytes=amounts,
    evict_helpers=st.booleans(),
    patient=st.booleans(),
)
