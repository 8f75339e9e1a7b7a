"""The commands in our documents."""

import re
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def marked_blocks(document: Path, *languages: str) -> list[tuple[str, str]]:
    """How each fenced block is marked that is marked so, and its code; in their order."""
    return [(marked, code) for marked, code in BLOCK.findall(document.read_text()) if marked in languages]


def blocks_of(document: Path, language: str) -> list[str]:
    return [code for _, code in marked_blocks(document, language)]
