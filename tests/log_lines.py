"""What the loggers of ours have said in the logs of processes, and whether it stands there as it should."""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from synthgen_ray.domain.log_context import FIELDS
from synthgen_ray.runtime.logs import OURS

SOURCE = Path(__file__).parents[1] / OURS
LEVELS = {"debug", "info", "warning", "error", "critical"}
ALL = {"time", "level", "logger", "message", *FIELDS}
SPOKEN_OF = re.compile(r"\b(job|model) ([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")


def ours(lines: Iterable[str]) -> list[str]:
    """Those that loggers of ours wrote, in whichever form: what they say is in the source."""
    return [line for line in lines if f'"logger": "{OURS}' in line or _said().search(line)]


def is_right(line: str) -> bool:
    """Whether it is JSON with all ids, which are those of the job and of the model that it speaks of."""
    try:
        told = json.loads(line)
    except ValueError:
        return False
    if not isinstance(told, dict) or told.keys() != ALL:
        return False
    return all(told[f"{what}_id"] == one for what, one in SPOKEN_OF.findall(told["message"]))


@cache
def _said() -> re.Pattern[str]:
    sources = [ast.parse(file.read_text()) for file in SOURCE.rglob("*.py")]
    templates = {template for source in sources for template in _templates(source)}
    return re.compile("|".join(".+".join(map(re.escape, re.split("%[sd]", one))) for one in templates))


def _templates(source: ast.Module) -> Iterator[str]:
    for node in ast.walk(source):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="log"), attr=level), args=[template, *_]):
                if level in LEVELS:
                    yield ast.literal_eval(template)
