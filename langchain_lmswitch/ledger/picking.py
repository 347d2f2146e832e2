"""Picking records out of those that were noted. Pure."""

from collections.abc import Sequence
from dataclasses import replace

from langchain_lmswitch.ledger.base import LOADS_READ, MOST_ANSWERS, MOST_GRADES, Record
from langchain_lmswitch.ledger.plain import plain
from langchain_lmswitch.policy.recording import recordable
from langchain_lmswitch.types.answers import AnswerRecord
from langchain_lmswitch.types.grades import Grade
from langchain_lmswitch.types.loads import LoadRecord
from langchain_lmswitch.types.records import DecisionRecord


def loads_of(host: str, records: Sequence[Record]) -> list[LoadRecord]:
    """Pick the latest loads of one host."""
    loads = [one for one in records if isinstance(one, LoadRecord)]
    return [one for one in loads if one.configuration.host == host][-LOADS_READ:]


def as_read(records: Sequence[Record], last: int) -> list[DecisionRecord]:
    """Pick the latest decisions, in the form in which a file would give them back."""
    decisions = [one for one in records if isinstance(one, DecisionRecord)]
    latest = decisions[-last:] if last > 0 else []
    told = map(recordable, latest)
    return [replace(one, facts=plain(one.facts), outcome=plain(one.outcome)) for one in told]


def answers_of(host: str | None, records: Sequence[Record]) -> list[AnswerRecord]:
    """Pick the latest answers of one host, or of all; of one noted twice, the last."""
    found = [one for one in records if isinstance(one, AnswerRecord)]
    latest = {
        (one.host, one.request, one.key): one for one in found if host is None or one.host == host
    }
    return sorted(latest.values(), key=lambda one: one.at_s)[-MOST_ANSWERS:]


def answer_in(records: Sequence[Record], name: str) -> AnswerRecord | None:
    """Find an answer by its request or its run."""
    answers = [one for one in records if isinstance(one, AnswerRecord)]
    named = (one for one in reversed(answers) if name in {one.request, one.run} and name)
    return next(named, None)


def grades_of(host: str | None, records: Sequence[Record]) -> list[Grade]:
    """Pick the latest grades of one host, or of all.

    Of those of one model for one request the last counts; equal ones are one.
    """
    latest: dict[object, Grade] = {}
    for one in records:
        if isinstance(one, Grade) and (host is None or one.host == host):
            latest[name_of(one)] = one
    return sorted(latest.values(), key=lambda one: (one.at_s, one.key))[-MOST_GRADES:]


def name_of(grade: Grade) -> tuple[str, str, str]:
    """Tell what a grade is of; grades of the same replace each other."""
    request = grade.request or f"at {grade.at_s!r} {grade.score!r} {grade.source}"
    return grade.host, request, grade.key
