"""How well models are switched: streams of requests, what rivals make of them, and the optimum.

`switching` plays streams through the product itself, in virtual time on a simulated host, and
through the rules of others.
"""

from langchain_lmswitch.testing.bench.streams import Model, Stream, generated
from langchain_lmswitch.testing.bench.switching import Row, averaged, switching
from langchain_lmswitch.testing.bench.traces import MIX, traced

__all__ = ["MIX", "Model", "Row", "Stream", "averaged", "generated", "switching", "traced"]
