"""Conversations for tests: small talk with planted facts, as the files of the bench have them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

FACTS = ("The vault code is 7421 said the porter.", "Our heron nests behind the mill, he added.")
ASKED = ("What is the code of the vault?", "Where does the heron nest?")


def talk(count: int = 60, *, who: Sequence[str] = ("user", "assistant")) -> dict[str, Any]:
    """Let two talk, with a fact in their second message and one in their fifth."""
    turns = [
        {
            "who": who[at % 2],
            "text": f"Line {at} tells of weather, of soup and of trains.",
            "date": "May",
        }
        for at in range(count)
    ]
    turns[1]["text"], turns[4]["text"] = FACTS
    questions = [
        {"q": ASKED[0], "a": "7421", "cat": 4, "ev": [1]},
        {"q": ASKED[1], "a": "Behind the mill", "cat": 1, "ev": [4]},
        {"q": "Who won?", "a": "", "cat": 5, "ev": []},
    ]
    return {"id": "talk", "topic": "chat", "turns": turns, "qs": questions}


def write_talks(file: Path, *talks: Any) -> Path:
    """Write each on a line."""
    file.write_text("".join(json.dumps(one) + "\n" for one in talks), encoding="utf-8")
    return file
