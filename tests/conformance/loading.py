"""Listing, estimating, loading and unloading."""

import asyncio
from dataclasses import replace

import pytest
from conformance.subject import (
    CONTEXT_TOKENS,
    Cases,
    Subject,
    answer,
    ask,
    eventually,
    own_identifier,
)

from langchain_lmswitch.errors import HostError, UnknownModel
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.types.models import LoadSpec, ModelCard, Resident


async def identifiers(host: Host) -> list[str]:
    return [resident.identifier for resident in await host.residents()]


async def card_of(host: Host, key: str) -> ModelCard:
    return next(card for card in await host.cards() if card.key == key)


class LoadingCases(Cases):
    """What is on disk, what is in memory, and the way between."""

    async def test_cards(self, host: Host, subject: Subject) -> None:
        """Every model on disk is listed once, with its kind and its size."""
        cards = {card.key: card for card in await host.cards()}

        assert len(cards) == len(await host.cards())
        assert cards[subject.chat].kind == "llm"
        assert all(card.size_bytes > 0 for card in cards.values())
        assert cards[subject.chat].max_context_tokens >= CONTEXT_TOKENS
        if subject.embedding:
            assert cards[subject.embedding].kind == "embedding"

    async def test_load_is_listed_as_asked(self, host: Host, subject: Subject) -> None:
        """A loaded model has the identifier and the context that were asked for."""
        spec = LoadSpec(key=subject.chat, context_tokens=1024, identifier=own_identifier())
        resident = await host.load(spec)
        try:
            listed = {other.identifier: other for other in await host.residents()}
        finally:
            await host.unload(resident.identifier)

        assert (resident.key, resident.identifier) == (subject.chat, spec.identifier)
        assert resident.context_tokens == 1024
        assert listed[resident.identifier].key == subject.chat
        assert listed[resident.identifier].context_tokens == 1024
        assert resident.identifier not in await identifiers(host)

    async def test_load_without_identifier_gets_one(self, host: Host, subject: Subject) -> None:
        resident = await host.load(LoadSpec(key=subject.chat, context_tokens=1024))
        try:
            assert resident.identifier
            assert resident.identifier in await identifiers(host)
        finally:
            await host.unload(resident.identifier)

    async def test_progress_never_falls(self, host: Host, subject: Subject) -> None:
        """A load tells how far it is, from 0 to 1, before it returns."""
        steps: list[float] = []
        spec = LoadSpec(key=subject.chat, context_tokens=1024, identifier=own_identifier())
        resident = await host.load(spec, on_progress=steps.append)
        told = list(steps)
        await host.unload(resident.identifier)

        assert told
        assert told == sorted(told)
        assert told[0] >= 0
        assert told[-1] <= 1
        assert steps == told

    async def test_same_model_twice(self, host: Host, chat: Resident) -> None:
        """A second load is a second instance; the first stays as it was."""
        spec = LoadSpec(key=chat.key, context_tokens=1024, identifier=own_identifier())
        second = await host.load(spec)
        try:
            assert {chat.identifier, second.identifier} <= set(await identifiers(host))
            assert second.identifier != chat.identifier
        finally:
            await host.unload(second.identifier)

        assert (await answer(host, chat.identifier, ask("Hello"))).finished.stop_reason

    async def test_same_identifier_twice(self, host: Host, chat: Resident) -> None:
        """An identifier names one instance: a second one is refused, or gets another name."""
        spec = LoadSpec(key=chat.key, context_tokens=1024, identifier=chat.identifier)
        try:
            second = await host.load(spec)
        except HostError:
            pass
        else:
            await host.unload(second.identifier)
            assert second.identifier != chat.identifier

        assert (await identifiers(host)).count(chat.identifier) == 1

    async def test_two_models_side_by_side(
        self, host: Host, chat: Resident, other: Resident
    ) -> None:
        """Both are listed and both answer; unloading one leaves the other."""
        assert {chat.identifier, other.identifier} <= set(await identifiers(host))
        assert (await answer(host, other.identifier, ask("Hello"))).finished.stop_reason

        await host.unload(other.identifier)

        assert (await answer(host, chat.identifier, ask("Hello"))).finished.stop_reason

    @pytest.mark.parametrize("kind", ["llm", "embedding"])
    async def test_load_of_an_unknown_model(self, host: Host, kind: str) -> None:
        before = await identifiers(host)
        spec = LoadSpec(key="no-such/model-anywhere", kind="llm")

        with pytest.raises(UnknownModel):
            await host.load(spec if kind == "llm" else replace(spec, kind="embedding"))
        assert await identifiers(host) == before

    async def test_cancelled_load_leaves_nothing(self, host: Host, subject: Subject) -> None:
        """A load whose caller goes away takes no memory, and the next load works."""
        begun = asyncio.Event()
        spec = LoadSpec(key=subject.chat, context_tokens=1024, identifier=own_identifier())
        load = asyncio.create_task(host.load(spec, on_progress=lambda _: begun.set()))
        load.add_done_callback(lambda _: begun.set())
        await begun.wait()
        load.cancel()
        with pytest.raises(asyncio.CancelledError):
            await load

        async def is_gone() -> bool:
            return spec.identifier not in await identifiers(host)

        await eventually(is_gone, what="a cancelled load is not listed")
        resident = await host.load(spec)
        await host.unload(resident.identifier)

    async def test_estimate_grows_with_the_context(self, host: Host, subject: Subject) -> None:
        """A load costs its weights and more for more context."""
        card = await card_of(host, subject.chat)
        costs = [
            (await host.estimate(LoadSpec(key=card.key, context_tokens=context), card)).total_bytes
            for context in (512, 1024, 2048)
        ]

        assert costs == sorted(set(costs))
        assert costs[0] > 0.5 * card.size_bytes

    async def test_unload_of_an_unknown_identifier(self, host: Host) -> None:
        with pytest.raises(UnknownModel):
            await host.unload("no-such-instance")

    async def test_unload_twice(self, host: Host, chat: Resident) -> None:
        await host.unload(chat.identifier)

        with pytest.raises(UnknownModel):
            await host.unload(chat.identifier)
