"""Whether what a summarizer wrote is a summary, and what of it is kept."""

import re
from collections.abc import Sequence
from typing import Final

from langchain_lmswitch.context.quoting import CLOSE, OPEN

MOST_CHARS: Final = 1_000
"""What a summary may be long."""
_LEAST_LETTERS: Final = 12
_COPIED: Final = 0.5
"""The part of its sentences from which on it is a copy of the source, not a summary."""
_COPY_CHARS: Final = 25
"""Shorter sentences may well be the same."""
_DISTINCT: Final = 0.5
"""The part of its sentences that must differ: small models get caught in one."""
_GROUNDED: Final = 0.5
"""The part of its longer words that must be in the source; of another conversation it is a third,
and in another language next to nothing."""
_STEM_CHARS: Final = 5
_WORD_CHARS: Final = 4
_OPENING_CHARS: Final = 120

_THOUGHT = re.compile(
    r"<(think|thinking|thought|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE
)
_FENCE = re.compile(r"^```\w*\s*$", re.MULTILINE)
_TITLE = re.compile(
    r"\A[^\n]{0,80}?(?:notes?|summar|notiz|zusammenfassung|resum|résum|riassunt|riepilog"
    r"|заметк|резюме|итог|要約|メモ|摘要|总结|笔记)[^\n:：]{0,60}[:：]\W*",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\b(?:i(?:'|’)?m sorry|i am sorry|i apologi[sz]e|i can(?:no|(?:'|’))t (?:help|assist|provide"
    r"|summar|do|fulfil)|i(?:'|’)?m (?:not able|unable)|i am unable|as an ai\b|as a language model"
    r"|es tut mir leid|tut mir leid|ich kann (?:das |dir |ihnen )?(?:leider )?nicht|als ki\b"
    r"|je suis désolé|désolé,|je ne peux pas|en tant qu['’]ia"
    r"|lo siento|no puedo|como (?:modelo|una ia)|desculpe|sinto muito|não posso"
    r"|mi dispiace|non posso|sono spiacente)|извините|простите|к сожалению, я|я не могу"
    r"|申し訳(?:ありません|ございません)|お手伝いできません|抱歉|对不起|很遗憾|我无法|我不能",
    re.IGNORECASE,
)
_OURS: Final = (
    OPEN,
    CLOSE,
    "between <history>",
    "cannot read that part again",
    "notes on an earlier",
)
_SENTENCE_END = re.compile(r"""[.!?。！？…]["'”’»)\]]*(?=\s|\Z)|[。！？]""")
_SENTENCE = re.compile(r"[^\n]+?(?:[.!?…](?=\s)|[。！？]|(?=\n)|\Z)")
_NUMBER = re.compile(r"\d{2,}")
_WORD = re.compile(r"[^\W\d_]+")
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\u0e00-\u0e7f]")
"""Scripts that put no space between words: two characters are what a word is elsewhere."""


def accepted(text: str, source: str, *, cut: bool = False, merged: bool = False) -> str | None:
    """Give what of an answer is kept as the summary of `source`; `None` if it is none.

    1. Thoughts, fences and a title are taken off.
    2. A refusal, or what repeats the request, is none.
    3. What breaks off ends with its last whole sentence, and so does what is too long.
    4. What says the same over and over is none, nor is a copy of what was said; summaries that are
       merged may lend their sentences.
    5. Sentences with a number of two digits or more that the source does not have are dropped:
       they are made up.
    6. What is empty, as long as the source, or about something else, is none.

    Args:
        text: The answer.
        source: What was to be summarized; see `summaries.source_of`.
        cut: Whether the answer ended for its length.
        merged: Whether the source is summaries already.
    """
    bare = _bare(text)  # 1
    if _REFUSAL.search(bare[:_OPENING_CHARS]) or any(one in bare for one in _OURS):  # 2
        return None
    whole = _whole(bare) if cut else bare  # 3
    sentences = _sentences(whole if len(whole) <= MOST_CHARS else _whole(whole[:MOST_CHARS]))
    distinct = list(dict.fromkeys(sentences))
    if len(distinct) < _DISTINCT * len(sentences):  # 4
        return None
    if not merged and _copied(distinct, source):  # 4
        return None
    kept = " ".join(_true(distinct, source))  # 5
    return kept if _tells(kept, source) else None  # 6


def _bare(text: str) -> str:
    plain = _FENCE.sub("", _THOUGHT.sub("", text)).strip()
    return _TITLE.sub("", plain, count=1).strip() or plain


def _whole(text: str) -> str:
    """Give a text up to the end of its last whole sentence, or else of its last whole line."""
    ends = [one.end() for one in _SENTENCE_END.finditer(text)]
    return text[: max([*ends[-1:], text.rfind("\n"), 0])].rstrip()


def _sentences(text: str) -> list[str]:
    found = (" ".join(one.split()) for one in _SENTENCE.findall(text))
    return [one for one in found if one]


def _copied(sentences: Sequence[str], source: str) -> bool:
    read = " ".join(source.split())
    copies = [len(one) for one in sentences if len(one) >= _COPY_CHARS and one in read]
    return sum(copies) > _COPIED * sum(map(len, sentences))


def _true(sentences: Sequence[str], source: str) -> list[str]:
    numbers = set(_NUMBER.findall(source))
    return [one for one in sentences if numbers.issuperset(_NUMBER.findall(one))]


def _tells(text: str, source: str) -> bool:
    letters = sum(map(str.isalpha, text))
    if letters < _LEAST_LETTERS or len(text) >= len(source):
        return False
    return _grounded(text, source) >= _GROUNDED


def _grounded(text: str, source: str) -> float:
    """Say what part of the words of a text, by their beginnings, are those of another."""
    stems = _stems(text)
    return len(stems & _stems(source)) / len(stems) if stems else 0.0


def _stems(text: str) -> set[str]:
    found: set[str] = set()
    for word in _WORD.findall(text.casefold()):
        if _UNSPACED.search(word):
            found.update(word[at : at + 2] for at in range(len(word) - 1))
        elif len(word) >= _WORD_CHARS:
            found.add(word[:_STEM_CHARS])
    return found
