"""How much of a long conversation is still there for a question, and what it costs to read.

`report` measures conversations with questions whose answers stand in known turns, through the
product's own fitting: how much of those turns stands in the prompt, word for word.
"""

from langchain_lmswitch.testing.bench.context.chats import Chat, Question, Turn, read_chats
from langchain_lmswitch.testing.bench.context.counters import Counter, Estimate, Hosted
from langchain_lmswitch.testing.bench.context.driving import Driver
from langchain_lmswitch.testing.bench.context.embedders import Embedder, Sentences
from langchain_lmswitch.testing.bench.context.report import report

__all__ = [
    "Chat",
    "Counter",
    "Driver",
    "Embedder",
    "Estimate",
    "Hosted",
    "Question",
    "Sentences",
    "Turn",
    "read_chats",
    "report",
]
