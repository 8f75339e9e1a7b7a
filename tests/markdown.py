"""The commands in our documents."""

import re
from pathlib import Path

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks_of(document: Path, language: str) -> list[str]:
    """The code of each fenced block that is marked so."""
    return [code for marked, code in BLOCK.findall(document.read_text()) if marked == language]
