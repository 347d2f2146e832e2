"""Which models are asked for, and how soon each will be again."""

import math
from collections.abc import Sequence
from operator import mul
from typing import Final

from langchain_lmswitch.policy.passage import passage_steps

_MOST_MODELS: Final = 16
"""More than anybody uses by turns; whoever was asked for least is forgotten."""
_SHORT: Final = 10.0
_LONG: Final = 100.0
_SUCCESSION: Final = 40.0
"""Half-lives: of the two shares in visits, of what follows a model in visits to that model."""
_PRIOR: Final = 1.0
"""Visits to a model after which what followed it counts as much as the shares do."""
_TRUST_KEPT: Final = 0.95
_DOUBT_LASTS: Final = 20.0
"""Visits after which the forecasts are still in doubt by half."""
_UNFORESEEN: Final = 0.05
"""The part of every forecast that is spread over all models, so that none is ever quite wrong."""


class Demand:
    """Tells how soon a model will be asked for, from the order of the requests so far.

    Time is counted in requests: on a laptop that sleeps seconds mean nothing.

    1. Requests in a row for one model are one visit: after the first it is in memory anyway.
    2. There are three forecasts: each model's share of the last few visits, its share of the
       last hundred or so, and the visits until it comes by again if models go on to follow one
       another as they did. Work that goes in rounds shows in the third only: there the model
       that was used last is the one that is needed last.
    3. Each forecast counts as much as it has lately been right about the next model.
    4. At most sixteen models are remembered.
    5. All of them are in doubt until enough has been seen: after a dozen visits that went the same
       way by chance, the forecasts tell much apart that is equal.

    Example:
        >>> demand = Demand()
        >>> for key in ["chat", "coder", "chat", "coder", "chat", "judge", "chat"]:
        ...     demand.note(key)
        >>> demand.rate("coder") > demand.rate("judge") > demand.rate("never asked for")
        True
    """

    def __init__(self) -> None:
        self._short = _Memory(_SHORT)
        self._long = _Memory(_LONG)
        self._after: dict[str, _Memory] = {}
        self._last = ""
        self._visits = 0
        self._trust = [0.0, 0.0, 0.0]
        """Of each forecast, the logarithm."""
        self._rates: dict[str, float] = {}

    @property
    def keys(self) -> tuple[str, ...]:
        """The models that are remembered."""
        return tuple(self._long.counts)

    @property
    def doubt(self) -> float:
        """How little the rates are to be trusted: 1 at first, and less with every visit."""
        return _DOUBT_LASTS / (_DOUBT_LASTS + self._visits)  # 5

    def note(self, key: str) -> None:
        """Take in one request, as it comes."""
        if key == self._last:  # 1
            return
        if self._last:
            self._judge(key)
            self._after[self._last].see(key)
        self._visits += 1
        self._short.see(key)
        self._long.see(key)
        self._after.setdefault(key, _Memory(_SUCCESSION))
        self._last = key
        self._rates = {}
        if len(self._long.counts) > _MOST_MODELS:  # 4
            others = [known for known in self.keys if known != key]
            self._forget(min(others, key=self._long.counts.__getitem__))

    def rate(self, key: str) -> float:
        """Give the expected visits to a model for each visit from now on; 0 for a strange one."""
        if not self._rates and self._last:
            self._rates = self._expected()
        return self._rates.get(key, 0.0)

    def _expected(self) -> dict[str, float]:
        keys = self.keys
        lean = self._long.shares(keys)
        chain = [self._row(key, keys, lean) for key in keys]
        steps = passage_steps(chain, keys.index(self._last), lean)
        forecasts = (self._short.shares(keys), lean, [1 / max(1.0, step) for step in steps])  # 2
        most = max(self._trust)
        weights = [math.exp(trust - most) for trust in self._trust]  # 3
        return {
            key: sum(map(mul, weights, rates)) / sum(weights)
            for key, *rates in zip(keys, *forecasts, strict=True)
        }

    def _row(self, key: str, keys: Sequence[str], lean: Sequence[float]) -> list[float]:
        """Give the probabilities of what follows a model."""
        seen = self._after[key].counts
        total = sum(seen.values()) + _PRIOR
        return [(seen.get(other, 0.0) + _PRIOR * lean[at]) / total for at, other in enumerate(keys)]

    def _judge(self, key: str) -> None:
        """Let each forecast gain or lose trust by the model that did come next."""
        keys = self.keys
        lean = self._long.shares(keys)
        forecasts = (self._short.shares(keys), lean, self._row(self._last, keys, lean))
        here = keys.index(self._last)
        found = keys.index(key) if key in keys else None
        for number, shares in enumerate(forecasts):
            foreseen = 0.0 if found is None else shares[found] / max(1 - shares[here], 1e-9)
            likely = (1 - _UNFORESEEN) * foreseen + _UNFORESEEN / (len(keys) + 1)
            self._trust[number] = _TRUST_KEPT * self._trust[number] + math.log(likely)

    def _forget(self, key: str) -> None:
        del self._after[key]
        for memory in (self._short, self._long, *self._after.values()):
            memory.counts.pop(key, None)


class _Memory:
    """How often each key was seen; what is long ago counts for less."""

    def __init__(self, half_life: float) -> None:
        self._kept = 0.5 ** (1 / half_life)
        self.counts: dict[str, float] = {}

    def see(self, key: str) -> None:
        for known in self.counts:
            self.counts[known] *= self._kept
        self.counts[key] = self.counts.get(key, 0.0) + 1.0

    def shares(self, keys: Sequence[str]) -> list[float]:
        total = sum(self.counts.values())
        return [self.counts.get(key, 0.0) / total for key in keys]
