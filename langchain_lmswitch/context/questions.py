"""Asking: what is looked for, and whether anything is."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from langchain_lmswitch.context.terms import terms_of

FEW_TERMS: Final = 6
"""A question of fewer may refer back, and is asked together with the one before."""
BEFORE_SHARE: Final = 0.1
ALONE_SHARE: Final = 1.0
"""What the terms of the question before count; the latter if this one has none at all."""
NAME_SHARE: Final = 0.3
"""What the name of a speaker counts: others use it to address them, while their own turns, which
the question is about, do not have it."""

STATEMENT: Final = 0.3
REACTION: Final = 0.1
_SHORT_TERMS: Final = 4

_MARK: Final = re.compile("[?\uff1f\u061f\u037e\u2e2e\u055e]")
"""Question marks of all scripts."""
_WORDS: Final = re.compile(
    r"^\W*(?:and |so |but |then |please |und |bitte |et |y |e |а |и )?(?:"
    r"who|whom|whose|what|when|where|which|why|how"
    r"|(?:did|does|do|is|are|was|were|can|could|would|will|should|have|has|am)"
    r" (?:i|you|we|they|he|she|it|there|this|that|these|those|the|my|your|our|his|her|their)"
    r"|tell|list|give|show|explain|describe|summari[sz]e|remind|compare|find|write|create"
    r"|make (?:me|us|it|a|an|the)|help|walk|name|recall|recommend|suggest|draft|plan|fix|add"
    r"|change|update|use|continue"
    r"|wer|was|wann|wo|wohin|woher|welche[rsn]?|warum|wieso|wie|erkläre?|nenne?|sag|erzähle?"
    r"|liste|fasse|zeige?|schreibe?|mache?|hilf"
    r"|qui|que|quoi|quand|où|quel(?:le)?s?|pourquoi|comment|combien|dis|donne|explique|résume"
    r"|montre|écris|fais|aide"
    r"|quién|quien|qué|cuándo|cuando|dónde|donde|cuál|cuáles|por qué|cómo|cuánto|dime|dame"
    r"|explica|resume|muestra|escribe|haz|ayuda"
    r"|chi|cosa|quando|dove|quale|quali|perché|come|quanto|dimmi|dammi|spiega|riassumi|scrivi"
    r"|quem|qual|quais|por que|onde|quanto|diga|resuma|escreva|mostre"
    r"|wie|wat|wanneer|waar|welke|waarom|hoe|vertel|geef|schrijf"
    r"|кто|что|когда|где|куда|какой|какая|какие|почему|зачем|как|сколько|расскажи|назови|напомни"
    r"|покажи|напиши|объясни|перечисли"
    r"|kto|kiedy|gdzie|jaki|jaka|dlaczego|jak|powiedz|napisz"
    r"|kim|ne zaman|nerede|hangi|neden|nasıl|anlat"
    r")\b",
    re.IGNORECASE,
)
_BACK: Final = re.compile(
    r"\b(?:remember|remind|recall|earlier|previous(?:ly)?|last time|before|again|as (?:i|we|you)"
    r" said|(?:i|we|you) (?:said|told|mentioned|discussed|talked|agreed|decided)"
    r"|erinner\w*|vorhin|früher|letztes mal|rappelle\w*|souvien\w*|tout à l'heure|recuerd\w*"
    r"|antes|ricord\w*|prima|lembr\w*|помни\w*|напомни\w*|раньше|pamięta\w*)\b"
    r"|什么|怎么|为什么|哪|谁|多少|几|请|告诉|记得|之前|上次|吗|呢$"
    r"|何|いつ|どこ|だれ|誰|どの|どれ|なぜ|どう|教えて|ください|覚えて|ですか|ますか|前に"
    r"|무엇|뭐|언제|어디|누구|왜|어떻게|몇|알려|기억|까요?$",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(r"(?<=[.!?。！？])\s*|\n+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What is asked now."""

    text: str
    """The last user message."""
    before: str = ""
    """The user message before it, for questions that are short or refer back."""


def wants_recall(text: str) -> float:
    """Tell how much of what was said before a message may need: 1 is all that fits.

    1. A question or a request, or a word that refers back: 1.
    2. A short reaction, such as thanks: 0.1.
    3. Any other statement: 0.3; it may still be about something that was said.
    """
    if _MARK.search(text) or _BACK.search(text):  # 1
        return 1.0
    if any(_WORDS.match(sentence) for sentence in _SENTENCE.split(text) if sentence):
        return 1.0
    return REACTION if len(set(terms_of(text))) <= _SHORT_TERMS else STATEMENT  # 2, 3


def named(text: str, speakers: Iterable[str]) -> frozenset[str]:
    """Give those speakers that a text names, in full or in part."""
    terms = set(terms_of(text))
    return frozenset(one for one in speakers if not terms.isdisjoint(terms_of(one)))


def weighted(query: Query, names: Iterable[str] = ()) -> Mapping[str, float]:
    """Give the terms to look for, and what each counts.

    1. Those of the question count 1, but the names of speakers less.
    2. Those of the question before count less, and only if this one is short.
    """
    weights = dict.fromkeys(terms_of(query.text), 1.0)
    few, none = len(weights) < FEW_TERMS, not weights
    for term in terms_of(" ".join(names)):  # 1
        if term in weights:
            weights[term] = NAME_SHARE
    if few:  # 2
        for term in terms_of(query.before):
            weights.setdefault(term, ALONE_SHARE if none else BEFORE_SHARE)
    return weights
