"""The rows of the bench: one for each pool of models, fitted on one part, graded on another."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from langchain_lmswitch.testing.bench.routing.clocks import Latency, latency_of
from langchain_lmswitch.testing.bench.routing.marks import (
    Marks,
    Utilities,
    gap_recovered,
    marked,
)
from langchain_lmswitch.testing.bench.routing.pools import Pool, Sizes, card_of, pools, size_of
from langchain_lmswitch.testing.bench.routing.rivals import rival_scores, thrifty
from langchain_lmswitch.testing.bench.routing.router import Router, lessons_of
from langchain_lmswitch.testing.bench.routing.tables import Table, places
from langchain_lmswitch.testing.bench.routing.trials import Tasks, Trial
from langchain_lmswitch.testing.bench.routing.visits import Visit, visits_of
from langchain_lmswitch.types.models import ModelCard

KNOBS: Final = tuple(at / 32 for at in range(1, 33))
"""Where the curve of quality against cost is looked at; 0 is looked at anyway."""
OURS: Final = "lmswitch"
LABELS: Final = 500
_PAIR: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One pool, and what the choices among its models came to."""

    pool: str
    marks: Marks
    incumbent: str
    """The best single model of what was learnt from."""
    n: int
    """Prompts that were graded."""
    n_fit: int
    models: int
    tasks: Tasks
    chosen: Mapping[str, float]
    """Share of the prompts that each model got."""
    router: str = OURS


@dataclass(frozen=True, slots=True, kw_only=True)
class Apgr:
    """How well the calls to the stronger of two models are placed."""

    pool: str
    weak: str
    strong: str
    labels: int
    """Prompts that were learnt from."""
    n: int
    apgr: float | None
    """Average performance gap recovered; chance gives 0.5. `None` if there is no gap."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cold:
    """What a pool comes to where nothing was learnt."""

    pool: str
    share_pct: float
    """Of the best single model by hindsight."""
    score: float
    best_single: float
    chosen: Mapping[str, float]
    n: int


def rows_of(trial: Trial, sizes: Sizes) -> Iterator[Row]:
    """Measure each pool of a trial."""
    for pool in pools(trial.name, trial.graded.models, sizes):
        fit, graded = trial.fit.of(pool.models), trial.graded.of(pool.models).complete()
        if len(graded):
            yield _row(pool, fit, graded, sizes, trial.tasks)


def rival_rows_of(trial: Trial, sizes: Sizes) -> Iterator[Row]:
    """Measure each pool of a trial by the methods of others; see `rival_scores`."""
    for pool in pools(trial.name, trial.graded.models, sizes):
        fit, graded = trial.fit.of(pool.models), trial.graded.of(pool.models).complete()
        moved_b = moved_of(pool.models, sizes)
        for rival, scores in rival_scores(fit, graded, moved_b) if len(graded) else ():
            curve = [thrifty(scores, moved_b, knob) for knob in (0.0, *KNOBS)]
            yield _marked(pool, fit, graded, sizes, curve, tasks=trial.tasks, router=rival)


def latency_rows_of(trial: Trial, sizes: Sizes) -> Iterator[Latency]:
    """Time decisions in the largest pool of a trial."""
    for pool in pools(trial.name, trial.graded.models, sizes)[-1:]:
        lessons = lessons_of(trial.fit.of(pool.models))
        yield latency_of(pool.name, _cards(pool, sizes), lessons, trial.graded.prompts)


def visit_rows_of(trial: Trial, sizes: Sizes) -> Iterator[Visit]:
    """Play runs of requests for the largest pool of a trial."""
    for pool in pools(trial.name, trial.graded.models, sizes)[-1:]:
        graded = trial.graded.of(pool.models).complete()
        if len(graded):
            lessons = lessons_of(trial.fit.of(pool.models))
            yield from visits_of(pool.name, _cards(pool, sizes), lessons, graded)


def cold_of(table: Table, sizes: Sizes) -> Iterator[Cold]:
    """Measure each pool of a table with nothing learnt."""
    for pool in pools(table.name, table.models, sizes):
        graded = table.of(pool.models).complete()
        utilities = Router(_cards(pool, sizes)).route(graded.prompts, pool.models, 0.0)
        picks = utilities.argmax(axis=1)
        score = float(graded.scores[np.arange(len(graded)), picks].mean())
        best = float(graded.scores.mean(axis=0).max())
        yield Cold(
            pool=pool.name,
            share_pct=100 * score / best,
            score=score,
            best_single=best,
            chosen=_shares(pool.models, picks),
            n=len(graded),
        )


def apgr_of(fit: Table, graded: Table, sizes: Sizes) -> Iterator[Apgr]:
    """Measure a table of two models, with few labels and with all."""
    fit, graded = fit.complete(), graded.complete()
    if len(fit.models) != _PAIR or not len(fit) or not len(graded):
        return
    weak, strong = (int(place) for place in fit.scores.mean(axis=0).argsort())
    nearest = places(fit).argsort()
    for labels in sorted({min(LABELS, len(fit)), len(fit)}):
        lessons = lessons_of(fit, nearest[:labels])
        router = Router([card_of(one, sizes) for one in fit.models], lessons)
        utilities = router.route(graded.prompts, graded.models, 0.0)
        gains = utilities[:, strong] - utilities[:, weak]
        yield Apgr(
            pool=graded.name,
            weak=fit.models[weak],
            strong=fit.models[strong],
            labels=labels,
            n=len(graded),
            apgr=gap_recovered(gains, graded.scores, weak=weak, strong=strong),
        )


def best_single(fit: Table) -> int:
    """Give the place of the model that is best on average, by what is known of all alike."""
    alike = fit.complete()
    known = (alike if len(alike) else fit).scores
    judged = np.maximum((~np.isnan(known)).sum(axis=0), 1)
    return int((np.nansum(known, axis=0) / judged).argmax())


def _row(pool: Pool, fit: Table, graded: Table, sizes: Sizes, tasks: Tasks) -> Row:
    router = Router(_cards(pool, sizes), lessons_of(fit))
    curve = router.curve(graded.prompts, pool.models, (0.0, *KNOBS))
    return _marked(pool, fit, graded, sizes, curve, tasks=tasks, router=OURS)


def _marked(
    pool: Pool,
    fit: Table,
    graded: Table,
    sizes: Sizes,
    curve: Sequence[Utilities],
    *,
    tasks: Tasks,
    router: str,
) -> Row:
    incumbent = best_single(fit)
    moved_b = moved_of(pool.models, sizes)
    return Row(
        pool=pool.name,
        marks=marked(
            curve[0], graded.scores, moved_b=moved_b, incumbent=incumbent, curve=curve[1:]
        ),
        incumbent=pool.models[incumbent],
        n=len(graded),
        n_fit=len(fit),
        models=len(pool.models),
        tasks=tasks,
        chosen=_shares(pool.models, curve[0].argmax(axis=1)),
        router=router,
    )


def moved_of(models: Sequence[str], sizes: Sizes) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Give the billions of weights that each model moves."""
    return np.array([size_of(one, sizes).moved_b for one in models])


def _cards(pool: Pool, sizes: Sizes) -> list[ModelCard]:
    return [card_of(one, sizes) for one in pool.models]


def _shares(models: Sequence[str], picks: Any) -> dict[str, float]:
    counts = np.bincount(picks, minlength=len(models)) / len(picks)
    return {one: float(share) for one, share in zip(models, counts, strict=True) if share}
