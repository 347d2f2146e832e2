"""Short ways to write what a ledger remembers."""

from langchain_lmswitch.types.loads import Configuration, LoadRecord
from langchain_lmswitch.types.records import DecisionRecord

HOST = "127.0.0.1:1234"


def load(number: int = 0, *, host: str = HOST) -> LoadRecord:
    """Make a load that is told from others by its time."""
    asked = Configuration(host=host, key="model", size_bytes=10**9, context_tokens=4096)
    return LoadRecord(
        at_s=float(number),
        configuration=asked,
        load_s=2.5,
        expected_bytes=10**9,
        observed_bytes=None,
        free_bytes=0,
    )


def decision(number: int = 0) -> DecisionRecord:
    """Make a decision that is told from others by its facts."""
    facts = {"number": number, "asked": load(number).configuration}
    return DecisionRecord(
        at_s=float(number), kind="choice", facts=facts, outcome={"model": "m"}, version="1"
    )


def numbers(decisions: list[DecisionRecord]) -> list[int]:
    """Tell decisions by their facts."""
    return [one.facts["number"] for one in decisions]
