"""Other ways to say the same: what a person puts around a request, and slips of the keyboard."""

import random
from collections.abc import Iterator
from typing import Final

_AROUND: Final = {
    "en": (
        ("Hi! ", " Thanks!"),
        ("Hello, I hope you are well. ", ""),
        ("Could you help me with this? ", " Thank you in advance."),
        ("Please ", ""),
        ("", " Please explain your answer."),
        ("I have a question. ", ""),
        ("Question: ", "\nAnswer:"),
        ("You are a helpful assistant.\n\n", ""),
        ("", " Think step by step."),
        ("A friend of mine would like to know this: ", ""),
        ("Tell me, please: ", " Thank you."),
        ("Good morning, one more thing. ", ""),
        ("", " Be brief, please."),
        ("Give a good answer to what follows.\n\n", ""),
        ("Just wondering: ", " Any help is welcome!"),
        ("This came up at work today: ", ""),
    ),
    "de": (("Hallo! ", " Danke!"), ("Kannst du mir bitte helfen? ", ""), ("", " Vielen Dank.")),
    "fr": (("Bonjour, ", " Merci !"), ("Peux-tu m'aider ? ", "")),
    "es": (("Hola, ", " ¡Gracias!"), ("¿Me puedes ayudar? ", "")),
    "it": (("Ciao, ", " Grazie!"), ("Mi puoi aiutare? ", "")),
    "pt": (("Olá, ", " Obrigado!"), ("Você pode me ajudar? ", "")),
    "zh": (("你好\uff0c", " 谢谢\uff01"), ("请问\uff0c", "")),
    "ja": (("こんにちは。", "よろしくお願いします。"),),
    "ru": (("Привет! ", " Спасибо!"), ("Пожалуйста, ", "")),
}


def reworded(text: str, language: str, number: int) -> Iterator[str]:
    """Give the text itself and three others that ask for the same, the same ones each time."""
    chance = random.Random(number)  # noqa: S311 - the same each time is what is wanted
    around = _AROUND.get(language, _AROUND["en"])
    for before, after in chance.sample(around, min(2, len(around))):
        yield f"{before}{text}{after}"
    yield _slipped(text, chance)
    yield text.lower().rstrip(".?!")
    yield text


def _slipped(text: str, chance: random.Random) -> str:
    letters = list(text)
    for _ in range(1 + len(text) // 40):
        at = chance.randrange(max(len(letters) - 1, 1))
        letters[at : at + 2] = reversed(letters[at : at + 2])
    return "".join(letters)
