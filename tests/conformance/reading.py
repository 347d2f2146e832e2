"""Tokens, templates and embeddings: what a model makes of text."""

import math

import pytest
from conformance.answering import WEATHER_TOOL
from conformance.subject import Cases, Subject, message

from langchain_lmswitch.errors import UnknownModel
from langchain_lmswitch.hosts.base import Host
from langchain_lmswitch.types.models import Resident

POLYGLOT = "naïve café, 日本語, Ελληνικά, עברית, 👩‍👩‍👧 🙂 \N{COMBINING ACUTE ACCENT}"


def cosine(a: list[float], b: list[float]) -> float:
    return sum(x * y for x, y in zip(a, b, strict=True)) / (math.hypot(*a) * math.hypot(*b))


class ReadingCases(Cases):
    """`count_tokens`, `render` and `embed`."""

    async def test_engine_is_told_and_stays(self, host: Host) -> None:
        """It tells one release from another; what loads cost is remembered by it."""
        assert await host.engine() == await host.engine() != ""

    @pytest.mark.parametrize("text", ["Hello", "def f(x):\n    return x + 1\n", POLYGLOT])
    async def test_tokens_add_up(self, host: Host, chat: Resident, text: str) -> None:
        """Two texts have about as many tokens as both together."""
        one = await host.count_tokens(chat.identifier, text)
        both = await host.count_tokens(chat.identifier, f"{text}\n{text}")

        assert one > 0
        assert 2 * one - 2 <= both <= 2 * one + 3

    async def test_long_text_has_many_tokens(self, host: Host, chat: Resident) -> None:
        """Counting is not bounded by the context."""
        text = "one two three four " * 1000

        assert 4000 <= await host.count_tokens(chat.identifier, text) <= 8001

    @pytest.mark.parametrize("text", ["What is two and two?", POLYGLOT, '{"a_b": "$c"}'])
    async def test_render_holds_the_text(self, host: Host, chat: Resident, text: str) -> None:
        """A template keeps what was said, to the letter, and adds its own marks."""
        prompt = await host.render(chat.identifier, [message("user", text)])

        assert text in prompt
        assert len(prompt) > len(text)

    async def test_render_holds_every_turn_in_order(self, host: Host, chat: Resident) -> None:
        turns = [
            message("system", "Be terse."),
            message("user", "First question?"),
            message("assistant", "First answer."),
            message("user", "Second question?"),
        ]
        prompt = await host.render(chat.identifier, turns)
        places = [prompt.find(turn["content"][0]["text"]) for turn in turns]

        assert places == sorted(places)
        assert -1 not in places

    async def test_render_holds_the_tools(
        self, host: Host, subject: Subject, chat: Resident
    ) -> None:
        if not subject.tools:
            pytest.skip("no tools here")
        asked = [message("user", "What is the weather in Oslo?")]
        bare = await host.render(chat.identifier, asked)
        offered = await host.render(chat.identifier, asked, tools=[WEATHER_TOOL])

        assert len(offered) > len(bare)
        assert "city_name" in offered
        assert "deg_c" in offered

    async def test_embedding(self, host: Host, embedding: Resident) -> None:
        """Texts become vectors of one size, in order, and the same text the same vector."""
        texts = ["A cat sat on the mat.", POLYGLOT, "Stock prices fell on Monday."]
        vectors = await host.embed(embedding.identifier, [*texts, texts[0]])
        alone = [(await host.embed(embedding.identifier, [text]))[0] for text in texts]

        assert {len(vector) for vector in vectors} == {len(alone[0])}
        assert cosine(vectors[0], vectors[3]) == pytest.approx(1, abs=1e-4)
        assert cosine(vectors[0], vectors[2]) < 0.999
        for together, single in zip(vectors, alone, strict=False):
            assert cosine(together, single) == pytest.approx(1, abs=1e-3)

    async def test_embedding_of_nothing(self, host: Host, embedding: Resident) -> None:
        assert await host.embed(embedding.identifier, []) == []

    async def test_count_for_an_unknown_identifier(self, host: Host) -> None:
        with pytest.raises(UnknownModel):
            await host.count_tokens("no-such-instance", "Hello")

    async def test_render_for_an_unknown_identifier(self, host: Host) -> None:
        with pytest.raises(UnknownModel):
            await host.render("no-such-instance", [message("user", "Hello")])

    async def test_embed_for_an_unknown_identifier(self, host: Host) -> None:
        with pytest.raises(UnknownModel):
            await host.embed("no-such-instance", ["Hello"])
