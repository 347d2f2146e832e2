"""Rules that tell a task by words, phrases and shapes: facts about the text, one sentence each.

A rule fires if one of its words is in the text, or one of its phrases, or its pattern matches.
Words and phrases are in small letters. A phrase is looked for anywhere: what has an edge says so
by a space.
"""

from collections.abc import Mapping
from typing import Final, get_args

from langchain_lmswitch.policy.rule import rule
from langchain_lmswitch.policy.wording import Wording
from langchain_lmswitch.types.tasks import TaskKind

SYSTEM_WEIGHT: Final = 0.5
"""A system prompt sets the stage; what the user asks now counts for more."""

RULES: Final = (
    rule(
        "code",
        3,
        "a code block",
        phrases=("```",),
        pattern=r"^[ \t]{0,16}(?:def \w+\(|class \w+[:({]|from [\w.]+ import|import \w+;?$|"
        r"#include|public \w+ |func \w+\(|fn \w+\()",
    ),
    rule(
        "code",
        3,
        "an error trace",
        phrases=("traceback (most recent", "error:", "exception:"),
    ),
    rule(
        "code",
        2,
        "a programming language",
        words="python javascript typescript java rust golang kotlin php sql bash html css regex "
        "pandas numpy django docker dockerfile kubernetes git github",
        phrases=("c++", "c#", "node.js", "react component"),
    ),
    rule(
        "code",
        2,
        "a programming task",
        words="refactor debug script skript code programm programming unittest compiler "
        "codebase función funcion funzione função funktion fonction funkcję функцию "
        "код программу программа программе programa",
        phrases=(
            "write a function",
            "a program ",
            "python function",
            "python script",
            "this function",
            "following function",
            "unit test",
            "algorithm",
            "algoritm",
            "函数",
            "代码",
            "编程",
            "算法",
            "関数",
            "コード",
            "プログラム",
            "함수",
            "코드",
            "دالة",
        ),
    ),
    rule(
        "code",
        1,
        "a word of programming",
        words="api class method bug query variable loop function array string compile",
    ),
    rule(
        "math",
        3,
        "an equation or formula",
        phrases=("\\frac", "\\sqrt", "\\sum", "\\int", "∫", "∑", "√", "π"),
        pattern=r"\d\s*[+*^\u00d7÷]\s*\d|\d\s+[-/]\s+\d|\d\s*%\s*(?:of|von|de|di|от) |"
        r"\b[a-z]\s*=\s*-?\d",
    ),
    rule(
        "math",
        2,
        "a mathematical term",
        words="calculate compute solve equation integral derivative probability percentage "
        "theorem prove matrix algebra geometry arithmetic polynomial remainder divisible "
        "triangle perimeter hypotenuse eigenvalue berechne gleichung calcule calcula calcola "
        "ecuación équation equazione equação уравнение",
        phrases=("计算", "方程", "方程式", "面積", "вычисл"),
    ),
    rule(
        "math",
        2,
        "a word problem",
        with_digits=True,
        phrases=(
            " how many ",
            " how much ",
            " how far ",
            " how long ",
            " how old ",
            "wie viele",
            "combien",
            "cuánt",
            "quanto ",
            "quanti ",
            "quante ",
            "quantos ",
            "quantas ",
            "сколько",
            "还剩多少",
            "多少",
            "残りは何",
            "いくつ",
            "몇 개",
        ),
    ),
    rule(
        "reasoning",
        3,
        "a puzzle of logic",
        words="knave knaves riddle logikrätsel rätsel énigme acertijo indovinello enigma premise "
        "premises syllogism entailment logikrätsel загадка лжецы",
        phrases=(
            "logic puzzle",
            "logical puzzle",
            "clues:",
            "follows logically",
            "推理",
            "なぞなぞ",
        ),
    ),
    rule(
        "knowledge",
        2,
        "answers to choose from",
        choices=3,
    ),
    rule(
        "knowledge",
        2,
        "the words of an exam",
        phrases=(
            "which of the following",
            "which of these",
            "multiple choice",
            "best title",
            "can be inferred",
            "we can learn",
            "passage mainly",
            "title for the",
            "title of the",
            "purpose of the",
            "purpose of this",
            "main idea",
            "the passage?",
            "the passage is",
            "from the passage",
            "the text?",
            "the text is",
            "from the text",
            "the author",
            "the writer",
            "____",
            " _ ",
            "下列",
        ),
    ),
    rule(
        "extraction",
        4,
        "a text to take the answer from",
        pattern=r"(?:^|[\s\"'])(?:context|passage|background|document|documents|article|text|"
        r"contexte|contexto|kontext|contesto|контекст|текст)\s?:|文章[:\uff1a]|текст:",
    ),
    rule(
        "extraction",
        3,
        "a wish to take something out of a text",
        words="extract extrahiere extrais extrae estrai extraia извлеки",
        phrases=("named entit", "提取", "抜き出", "pull out the", "sentiment", "classify the"),
    ),
    rule(
        "extraction",
        2,
        "a question about a given text",
        phrases=(
            "based on the context",
            "based on the passage",
            "based on the following",
            "pieces of context",
            "according to the text",
            "according to the document",
            "selon le texte",
            "según el texto",
            "secondo il testo",
        ),
    ),
    rule(
        "summary",
        4,
        "a wish for a summary",
        words="summarize summarise summary tldr condense zusammenfassung resumen riassumi "
        "riassunto resumo resuma streść перескажи",
        phrases=(
            "tl;dr",
            "key points",
            "main points",
            "takeaways",
            "sum up",
            "总结",
            "概括",
            "摘要",
            "要約",
            "要点",
            "요약",
            "краткое содержание",
        ),
        pattern=r"\bfasse\b[^.!?\n]{0,80}\bzusammen|r[eé]sume[rz]? (?:ce|le|la|les|el|este|cet)\b|"
        r"r[eé]sum[eé] (?:de|du|ce|le|la|les)\b",
    ),
    rule(
        "creative",
        3,
        "a wish for a text of imagination",
        words="poem haiku sonnet limerick lyrics screenplay slogan joke gedicht märchen poème "
        "cuento poema poesia favola стихотворение сказку",
        phrases=("story about", "fairy tale", "short story", "bedtime story", "诗", "俳句", "物語"),
    ),
    rule("creative", 1, "a wish to invent", words="imagine brainstorm creative invent story song"),
    rule(
        "rewriting",
        4,
        "a wish for a translation",
        words="translate translation übersetze übersetzen traduis traduire traduce traduci traduza "
        "переведи vertaal przetłumacz",
        phrases=("翻译", "翻訳", "번역"),
    ),
    rule(
        "rewriting",
        3,
        "a wish to put a text better",
        words="proofread rephrase paraphrase rewrite reword korrigiere corrige correggi corrija "
        "reformule reescribe перефразируй",
        phrases=("the grammar", "spelling mistake", "改写", "語法", "语法错误", "書き直"),
    ),
    rule(
        "tools",
        3,
        "a wish to act",
        phrases=(
            "set a timer",
            "set an alarm",
            "remind me",
            "send an email",
            "search the web",
            "access to the following tools",
            "weather in",
            "right now",
            "my calendar",
            "book a table",
            "天气",
        ),
    ),
)


def weigh(
    user: Wording, system: Wording | None
) -> tuple[Mapping[TaskKind, float], Mapping[TaskKind, str]]:
    """Add up what the rules say for each task, and keep the first evidence for it."""
    weights: dict[TaskKind, float] = dict.fromkeys(get_args(TaskKind), 0.0)
    evidence: dict[TaskKind, str] = {}
    for one in RULES:
        share = 1.0 if one.fires(user) else 0.0
        if not share and system and one.fires(system):
            share = SYSTEM_WEIGHT
        if share:
            weights[one.kind] += one.weight * share
            evidence.setdefault(one.kind, one.evidence)
    return weights, evidence
