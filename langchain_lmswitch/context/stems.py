"""Stems: what the forms of a word have in common, by its ending alone."""

from typing import Final

_IRREGULAR: Final = {
    form: word
    for word, forms in {
        "begin": "began begun",
        "break": "broke broken",
        "bring": "brought",
        "build": "built",
        "buy": "bought",
        "catch": "caught",
        "child": "children",
        "choose": "chose chosen",
        "come": "came",
        "cost": "costs",
        "draw": "drew drawn",
        "drive": "drove driven",
        "eat": "ate eaten",
        "fall": "fell fallen",
        "feel": "felt",
        "fight": "fought",
        "find": "found",
        "fly": "flew flown",
        "forget": "forgot forgotten",
        "give": "gave given",
        "go": "went gone",
        "grow": "grew grown",
        "hear": "heard",
        "hold": "held",
        "keep": "kept",
        "know": "knew known",
        "leave": "left",
        "lose": "lost",
        "make": "made",
        "man": "men",
        "meet": "met",
        "pay": "paid",
        "person": "people",
        "ride": "rode ridden",
        "run": "ran",
        "say": "said",
        "see": "saw seen",
        "sell": "sold",
        "send": "sent",
        "sing": "sang sung",
        "sleep": "slept",
        "speak": "spoke spoken",
        "spend": "spent",
        "stand": "stood",
        "steal": "stole stolen",
        "swim": "swam swum",
        "take": "took taken",
        "teach": "taught",
        "tell": "told",
        "think": "thought",
        "throw": "threw thrown",
        "wear": "wore worn",
        "win": "won",
        "woman": "women",
        "write": "wrote written",
    }.items()
    for form in forms.split()
}

_LATIN: Final = (
    ("ization", "ize"),
    ("isation", "ize"),
    ("ational", "ate"),
    ("fulness", "ful"),
    ("iveness", "ive"),
    ("ousness", "ous"),
    ("ations", "ate"),
    ("ation", "ate"),
    ("ments", "ment"),
    ("ingly", ""),
    ("edly", ""),
    ("ness", ""),
    ("ally", "al"),
    ("ings", ""),
    ("ying", "y"),
    ("ers", ""),
    ("ies", "y"),
    ("ied", "y"),
    ("ing", ""),
    ("est", ""),
    ("ed", ""),
    ("er", ""),
    ("ly", ""),
    ("es", ""),
    ("en", ""),
    ("em", ""),
    ("s", ""),
    ("e", ""),
)
"""Endings with what stands for them; English, and no harm to its neighbors."""
_ENDINGS: Final = """
    иями ями ами иях ях ах ыми ими ого его ому ему ешь ете ишь ите ает яет ают яют ала яла али яли
    ило ила или ать ять ить еть ость ости ется ится ться тся лся лась лись ая яя ое ее ые ие ый ий
    ой ей ом ем ам ям ов ев ую юю ла ло ли ут ют ит ет ат ят а я о е ы и у ю ь й л
    """
_CYRILLIC: Final = tuple(_ENDINGS.split())
_SHORTEST: Final = 3
_LONGEST: Final = 6
"""What comes later in a word rarely tells it from others; a photograph is of a photographer."""
_VOWELS: Final = frozenset("aeiouy")
_DOUBLED: Final = frozenset("bdgmnprt")


def stem_of(word: str) -> str:
    """Cut the ending off a word, which is in lower case and without accents.

    Words that share a meaning shall share a stem; it need not be a word. Short words and those
    of scripts whose endings are not known stay as they are.

    1. English forms that no ending tells, such as `bought`.
    2. The longest ending that leaves three letters and a vowel.
    3. What English doubles before an ending is one letter again; `y` and `i` are one.
    4. The first six letters.
    """
    return _bare(word)[:_LONGEST]  # 4


def _bare(word: str) -> str:
    if (irregular := _IRREGULAR.get(word)) is not None:  # 1
        word = irregular
    if "а" <= word[0] <= "я":
        return _without(word, _CYRILLIC)
    if not word.isascii():
        return word
    for ending, instead in _LATIN:  # 2
        if word.endswith(ending) and _is_stem(word[: -len(ending)]):
            return _tidy(word[: -len(ending)] + instead)
    return _tidy(word)


def _without(word: str, endings: tuple[str, ...]) -> str:
    for ending in endings:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST:
            return word[: -len(ending)]
    return word


def _is_stem(rest: str) -> bool:
    return len(rest) >= _SHORTEST and not _VOWELS.isdisjoint(rest)


def _tidy(stem: str) -> str:
    if len(stem) > _SHORTEST and stem[-1] == stem[-2] and stem[-1] in _DOUBLED:  # 3
        stem = stem[:-1]
    if len(stem) > _SHORTEST and stem[-1] == "e":
        stem = stem[:-1]
    return stem[:-1] + "i" if stem[-1] == "y" else stem
