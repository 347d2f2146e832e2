"""Requests such as people make, some for each task; written for this package."""

# ruff: noqa: RUF001 - Chinese has its own punctuation

from collections.abc import Mapping
from typing import Final

from langchain_lmswitch.types.tasks import TaskKind

EXEMPLARS: Final[Mapping[TaskKind, tuple[str, ...]]] = {
    "code": (
        "Write a Python function that removes duplicates from a list.",
        "Why does this loop never end? while i < 10: print(i)",
        "Refactor this class so that it can be tested.",
        "Write an SQL query for the customers without an order.",
        "Schreibe ein Programm, das alle Dateien eines Ordners umbenennt.",
        "用 JavaScript 写一个快速排序。",
    ),
    "math": (
        "What is 17 percent of 340?",
        "Solve the equation 3x + 7 = 22.",
        "Find the derivative of x squared times sine of x.",
        "A train travels 120 miles in 1.5 hours. How fast is it?",
        "Berechne die Fläche eines Kreises mit dem Radius 4.",
        "一个三角形的底是6，高是4，面积是多少？",
    ),
    "reasoning": (
        "If all bloops are razzies and some razzies are lazzies, are some bloops lazzies?",
        "Three people cross a bridge at night with one torch. In which order should they go?",
        "Who is lying if each of them says that the other one lies?",
        "What would follow if the third assumption were false?",
        "Plan the order of these tasks so that none waits for another.",
        "Drei Schalter, eine Lampe im Keller: wie findest du den richtigen?",
    ),
    "knowledge": (
        "Explain how vaccines work.",
        "Why is the sky blue?",
        "What is the difference between a virus and a bacterium?",
        "How does a heat pump heat a house?",
        "Erkläre mir, was Inflation ist.",
        "光合作用是怎么进行的？",
    ),
    "facts": (
        "Who wrote War and Peace?",
        "What is the capital of Australia?",
        "When did the Berlin Wall fall?",
        "How high is Mount Everest?",
        "Wer hat das Telefon erfunden?",
        "谁画了蒙娜丽莎？",
    ),
    "extraction": (
        "List all names and dates that stand in this letter.",
        "Put the following invoice into JSON with number, date and total.",
        "Which of these reviews are positive and which negative?",
        "According to the text above, who signed the contract?",
        "Finde alle Adressen in dem folgenden Text.",
        "从下面的文字中提取电话号码。",
    ),
    "summary": (
        "Summarize this article in three sentences.",
        "Give me the key points of the meeting.",
        "Shorten this report to one paragraph.",
        "What is the gist of the following thread?",
        "Fasse den folgenden Text zusammen.",
        "请总结下面这篇文章。",
    ),
    "creative": (
        "Write a poem about autumn.",
        "Tell me a story about a dragon who is afraid of fire.",
        "Invent five names for a coffee shop.",
        "Write a song for my sister's birthday.",
        "Schreibe eine Gutenachtgeschichte über einen Bären.",
        "写一首关于月亮的诗。",
    ),
    "rewriting": (
        "Translate this sentence into French.",
        "Correct the grammar of this paragraph.",
        "Make this email sound friendlier.",
        "Say the same in simpler words.",
        "Übersetze den Absatz ins Englische.",
        "把这句话翻译成英文。",
    ),
    "tools": (
        "Book a table for two at seven.",
        "Check my calendar and send Anna the next free slot.",
        "Turn off the lights in the kitchen.",
        "Search the web for flights to Oslo and compare the prices.",
        "Erinnere mich morgen um acht an den Arzt.",
        "帮我查一下明天的天气，然后发给小王。",
    ),
    "chat": (
        "Hello, how are you?",
        "Thanks, that helped a lot!",
        "I had a rough day today.",
        "What do you think of rainy weekends?",
        "Guten Morgen! Was machst du so?",
        "你好，今天过得怎么样？",
    ),
}
