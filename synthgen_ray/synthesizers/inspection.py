"""What a model's file says of itself: `python -m synthgen_ray.synthesizers.inspection FILE`, in a process of its own.

A file that others have made is read here first: whatever it does to the reader, it does to a process that then ends.
"""

import asyncio
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from synthgen_ray.datasets.nursery import ENVIRONMENT
from synthgen_ray.domain.columns import LearnedColumn
from synthgen_ray.domain.errors import InvalidRequest, SynthGenError
from synthgen_ray.domain.params import ModelType
from synthgen_ray.domain.widths import listed

MOST_SECONDS = 60


@dataclass(frozen=True)
class ModelFacts:
    model_type: ModelType
    config: dict[str, Any]
    columns: tuple[LearnedColumn, ...]
    chunk_rows: int


@dataclass(frozen=True)
class Finding:
    """The facts, or in words what is wrong with the file."""

    facts: ModelFacts | None
    fault: str = ""


FINDING = TypeAdapter(Finding)


async def inspected(file: Path) -> ModelFacts:
    """Raises: InvalidRequest, for anything but a sound model file."""
    command = [sys.executable, "-s", "-m", __name__, str(file)]
    try:
        done = await asyncio.to_thread(_answer_of, command)
    except subprocess.TimeoutExpired:
        raise _unsound("it takes too long to read") from None
    if done.returncode:
        raise _unsound("it cannot be read")
    found: Finding = FINDING.validate_json(done.stdout)
    if found.facts is None:
        raise InvalidRequest(found.fault, "model_corrupt")
    return found.facts


def _answer_of(command: list[str]) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(  # noqa: S603  (the command is ours)
        command, stdin=subprocess.DEVNULL, capture_output=True, env=ENVIRONMENT, timeout=2 * MOST_SECONDS
    )


def _unsound(why: str) -> InvalidRequest:
    return InvalidRequest(f"The model's file is damaged or not ours: {why}.", "model_corrupt")


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    from synthgen_ray.synthesizers.base import load  # torch comes with it, for a GAN

    try:
        model = load(Path(sys.argv[1]))
    except SynthGenError as error:
        found = Finding(None, error.detail)
    else:
        config = model.params.model_dump(mode="json")
        found = Finding(ModelFacts(model.model_type, config, listed(model.learned_columns), model.chunk_rows))
    sys.stdout.buffer.write(FINDING.dump_json(found))


if __name__ == "__main__":
    main()
