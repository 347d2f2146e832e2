"""What loads have taught: estimates put right, and how long a load takes."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from langchain_lmswitch.policy.loadtimes import EWMA_SHARE, LoadTimes
from langchain_lmswitch.policy.observed import Observed, ratios
from langchain_lmswitch.types.loads import Configuration, LoadRecord
from langchain_lmswitch.types.machine import UNCERTAINTY, Footprint

ENOUGH: Final = 3
"""Observations from which on they count for more than any estimate."""
_LOWEST: Final = 0.5
_HIGHEST: Final = 2
"""How much an estimate may be put right: beyond that the observation is doubted, until there are
enough of them."""

_NOTHING: Final = Observed()


class Experience:
    """What the loads of one host have taught.

    Args:
        records: The loads so far, oldest first.
    """

    def __init__(self, records: Iterable[LoadRecord] = ()) -> None:
        self._by_model: dict[Configuration, Observed] = {}
        self._times = LoadTimes()
        for record in records:
            self.learn(record)

    def learn(self, record: LoadRecord) -> None:
        """Add one load, made or failed."""
        asked = record.configuration
        model = _model(asked)
        self._by_model[model] = self._by_model.get(model, _NOTHING).with_record(record)
        if not record.failed:
            self._times.learn(asked.key, asked.size_bytes, record.load_s)

    def load_s(self, key: str, size_bytes: int) -> float:
        """Give the seconds that loading a model is expected to take; see `LoadTimes`."""
        return self._times.load_s(key, size_bytes)

    def corrected(
        self, configuration: Configuration, footprint: Footprint, *, now_s: float
    ) -> Footprint:
        """Put an estimate right by what was observed of the same model until `now_s`, Unix time.

        1. Three observations of this very configuration win: the middle of the latest five.
        2. Else, of two contexts or more: a line through what each of them held.
        3. Else, of one context: that very one as it was observed, another one by the ratio of
           observed to estimated bytes.
        4. By 2 and 3 no estimate is put right below half of it, nor above its double; and by
           fewer than three observations none is lowered.
        5. A load that failed for memory needs more than was free for it, with a larger context
           all the more: raise it to that, but not above the double, until a load is made or half
           an hour has passed.

        More observed bytes never give less by 1, 3 and 5; by 2 not within the contexts observed.
        The order of the records matters for which are the latest, for 5, and for the average that
        3 takes of three ratios or more.
        """
        tokens = configuration.context_tokens
        seen = self._by_model.get(_model(configuration), _NOTHING)
        if len(seen.at(tokens)) >= ENOUGH:  # 1
            found = _as_observed(footprint, seen.at(tokens))
        else:
            found = resized(footprint, _by_few(seen, tokens, footprint))
        least_bytes = min(seen.least_bytes(tokens, now_s=now_s), _most(footprint))  # 5
        return resized(found, max(found.total_bytes, least_bytes))


def resized(
    footprint: Footprint, total_bytes: int, *, uncertainty: float | None = None
) -> Footprint:
    """Give a footprint with another sum, each part with its share of it.

    Its uncertainty stays that of the estimate, unless another is told.
    """
    before = footprint.total_bytes
    if total_bytes == before and uncertainty is None:
        return footprint
    own = UNCERTAINTY[footprint.source] if footprint.uncertainty is None else footprint.uncertainty
    kv, compute, backend, vram = (
        part * total_bytes // before if before else 0
        for part in (
            footprint.kv_bytes,
            footprint.compute_bytes,
            footprint.backend_bytes,
            footprint.vram_bytes,
        )
    )
    return replace(
        footprint,
        weights_bytes=total_bytes - kv - compute - backend,
        kv_bytes=kv,
        compute_bytes=compute,
        backend_bytes=backend,
        vram_bytes=vram,
        source="ledger",
        uncertainty=own if uncertainty is None else uncertainty,
    )


def _as_observed(footprint: Footprint, same: Sequence[LoadRecord]) -> Footprint:
    total_bytes, spread = _middle([one.observed_bytes or 0 for one in same])
    found = resized(footprint, total_bytes, uncertainty=max(spread, UNCERTAINTY["ledger"]))
    vram = [one.observed_vram_bytes for one in same if one.observed_vram_bytes is not None]
    if len(vram) < len(same):
        return found
    return replace(found, vram_bytes=min(_middle(vram)[0], total_bytes))


def _by_few(seen: Observed, context_tokens: int, footprint: Footprint) -> int:
    """Say what the estimate should be, by rules 2 to 4."""
    if not seen.made:
        return footprint.total_bytes
    if len(seen.contexts) > 1:  # 2
        learnt = _on_line(seen, context_tokens)
    else:  # 3
        learnt = _from_one(seen, context_tokens, footprint)
    if len(seen.made) < ENOUGH:  # 4
        learnt = max(learnt, footprint.total_bytes)
    return min(max(math.ceil(learnt), math.ceil(_LOWEST * footprint.total_bytes)), _most(footprint))


def _most(footprint: Footprint) -> int:
    return _HIGHEST * footprint.total_bytes


def _on_line(seen: Observed, context_tokens: int) -> float:
    """Read a line off what each context held; more context never costs less."""
    points = [(tokens, _middle(seen.held_bytes(tokens))[0]) for tokens in seen.contexts]
    mean_tokens = sum(tokens for tokens, _ in points) / len(points)
    mean_bytes = sum(held for _, held in points) / len(points)
    rise = sum((tokens - mean_tokens) * (held - mean_bytes) for tokens, held in points)
    slope = rise / sum((tokens - mean_tokens) ** 2 for tokens, _ in points)
    if slope < 0:
        return max(held for _, held in points)
    return mean_bytes + slope * (context_tokens - mean_tokens)


def _from_one(seen: Observed, context_tokens: int, footprint: Footprint) -> float:
    if same := seen.held_bytes(context_tokens):
        return max(same)
    if not (known := ratios(seen.made)):
        return footprint.total_bytes
    return footprint.total_bytes * (_ewma(known) if len(known) >= ENOUGH else max(known))


def _ewma(values: Sequence[float]) -> float:
    average = values[0]
    for value in values[1:]:
        average += EWMA_SHARE * (value - average)
    return average


def _middle(amounts: Sequence[int]) -> tuple[int, float]:
    """Give the middle of the least and the most, and how far they are from it, as a share."""
    least, most = min(amounts), max(amounts)
    middle = math.ceil((least + most) / 2)
    return middle, (most - least) / 2 / middle if middle else 0.0


def _model(configuration: Configuration) -> Configuration:
    return replace(configuration, context_tokens=0)
