"""What a load really takes, seen from outside: real weights in the embedded host."""

import pytest
from conftest import CODER, SMOL, Embedded

from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.hosts.finding import find_host
from langchain_lmswitch.machine.monitor import SystemMonitor
from langchain_lmswitch.machine.scales import Scales
from langchain_lmswitch.policy.experience import Experience
from langchain_lmswitch.types.loads import Configuration, LoadRecord
from langchain_lmswitch.types.models import LoadSpec, ModelCard
from langchain_lmswitch.types.readings import Observation, Unusable
from langchain_lmswitch.types.requests import JsonObject, PredictRequest

pytestmark = [pytest.mark.weights, pytest.mark.alone]

MIB = 2**20
LOADS = 4
"""Three to learn from, and one to foretell."""
TRIES = 9
"""Another program of this computer may move its memory at any time: such loads are not counted."""
QUESTION: JsonObject = {"role": "user", "content": [{"type": "text", "text": "Say hi."}]}
REQUEST = PredictRequest(messages=(QUESTION,), max_tokens=8, temperature=0)


async def weigh(
    host: Host, scales: Scales, spec: LoadSpec, card: ModelCard
) -> tuple[Observation | Unusable, Observation | Unusable]:
    """Load a model and let it answer; unload it again."""
    tare = await scales.before()
    resident = await host.load(spec)
    loaded = await scales.after(tare, size_bytes=card.size_bytes)
    assert [event async for event in host.predict(resident.identifier, REQUEST)]
    answered = await scales.after(tare, size_bytes=card.size_bytes)
    await host.unload(resident.identifier)
    return loaded, answered


@pytest.mark.usefixtures("unloaded")
@pytest.mark.parametrize("model", [SMOL, CODER])
async def test_loads_of_one_model_weigh_the_same_and_about_as_much_as_was_reckoned(
    embedded: Embedded, capsys: pytest.CaptureFixture[str], model: str
) -> None:
    host = await find_host(embedded.client_settings)
    scales = Scales(int(host.address.rpartition(":")[2]), SystemMonitor())
    card = next(one for one in await host.cards() if one.key == model)
    spec = LoadSpec(key=model, context_tokens=2048, identifier="weighed")
    estimate = await host.estimate(spec, card)
    reckoned_bytes = estimate.total_bytes
    weights: list[tuple[int, int]] = []
    for _ in range(TRIES):
        loaded, answered = await weigh(host, scales, spec, card)
        if isinstance(loaded, Observation) and isinstance(answered, Observation):
            weights.append((loaded.total_bytes, answered.total_bytes))
        if len(weights) == LOADS:
            break
    await host.aclose()
    with capsys.disabled():
        told = "; ".join(f"{one / MIB:.1f}, {two / MIB:.1f}" for one, two in weights)
        print(f"\n{model}: loaded, answered: {told} MiB; reckoned {reckoned_bytes / MIB:.1f}")  # noqa: T201 - to be read

    heaviest = [max(pair) for pair in weights]
    assert len(heaviest) == LOADS
    assert 0.6 * reckoned_bytes < max(heaviest) <= reckoned_bytes
    *known, last = heaviest
    foretold = Experience(_record(card, spec, one) for one in known).corrected(
        _record(card, spec, 0).configuration, estimate, now_s=0.0
    )
    assert foretold.source == "ledger"
    assert 0.97 * last <= foretold.total_bytes <= 1.03 * last


def _record(card: ModelCard, spec: LoadSpec, observed_bytes: int) -> LoadRecord:
    configuration = Configuration(
        host="local",
        key=card.key,
        size_bytes=card.size_bytes,
        context_tokens=spec.context_tokens or 0,
    )
    return LoadRecord(
        at_s=0.0, configuration=configuration, load_s=1.0, observed_bytes=observed_bytes
    )
