"""How well models are chosen: by tables of judged answers, through the product's own scoring.

`Router.route` is the choice as a function of prompts, models and a knob; `rows_of` measures it,
fitted on one part of a table and graded on another.
"""

from langchain_lmswitch.testing.bench.routing.marks import Marks, gap_recovered, marked
from langchain_lmswitch.testing.bench.routing.pools import (
    Pool,
    Size,
    Sizes,
    card_of,
    find_sizes,
    pools,
    read_sizes,
)
from langchain_lmswitch.testing.bench.routing.report import QUICK, Measure, means_of, record, report
from langchain_lmswitch.testing.bench.routing.router import Router, lessons_of
from langchain_lmswitch.testing.bench.routing.rows import Row, rows_of
from langchain_lmswitch.testing.bench.routing.tables import Table, read_table
from langchain_lmswitch.testing.bench.routing.trials import FIT_SHARE, Trial, parted, trials

__all__ = [
    "FIT_SHARE",
    "QUICK",
    "Marks",
    "Measure",
    "Pool",
    "Router",
    "Row",
    "Size",
    "Sizes",
    "Table",
    "Trial",
    "card_of",
    "find_sizes",
    "gap_recovered",
    "lessons_of",
    "marked",
    "means_of",
    "parted",
    "pools",
    "read_sizes",
    "read_table",
    "record",
    "report",
    "rows_of",
    "trials",
]
