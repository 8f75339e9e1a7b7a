"""Artifacts on disk: written part by part and sealed as a generation does it, read as a download does it, beside plain
files."""

import os
import tempfile
from pathlib import Path

from synthgen_ray.artifacts.disk import DiskArtifacts
from synthgen_ray.domain.entities import Artifact
from tests.bench.rows import Bench, Figure, Row

PARTS, BLOCKS = 64, 8  # of 8 MB each, as CSV of some 70,000 rows of Adult has
BLOCK = os.urandom(1 << 20)
NAMES = [f"part-{index:05}.csv" for index in range(PARTS)]
LOCATION = "jobs/bench/1"


def _written(bench: Bench) -> Figure:
    with tempfile.TemporaryDirectory(prefix="sg-") as folder:
        pairs = bench.pairs(lambda: _write(Path(folder)), lambda: _write_plainly(Path(folder)))
    return _rate(pairs)


def _read(bench: Bench) -> Figure:
    with tempfile.TemporaryDirectory(prefix="sg-") as folder:
        artifacts, artifact = DiskArtifacts(Path(folder)), _write(Path(folder))
        _write_plainly(Path(folder))
        pairs = bench.pairs(
            lambda: sum(map(len, artifacts.verified(artifact))),
            lambda: sum(len((Path(folder) / name).read_bytes()) for name in NAMES),
        )
    return _rate(pairs)


def _rate(pairs: list[tuple[float, float]]) -> Figure:
    megabytes = PARTS * BLOCKS * len(BLOCK) / 1e6
    return Figure.of_pairs([(megabytes / ours, megabytes / plain) for ours, plain in pairs], "MB/s")


def _write(folder: Path) -> Artifact:
    """By one thread. The hash of all parts, end to end, is taken once they are there."""
    artifacts = DiskArtifacts(folder)
    for name in NAMES:
        with artifacts.writing(LOCATION, name) as sink:
            sink.writelines([BLOCK] * BLOCKS)
    return artifacts.seal(LOCATION, [artifacts.part(LOCATION, name, 0) for name in NAMES])


def _write_plainly(folder: Path) -> None:
    for name in NAMES:
        with (folder / name).open("wb") as sink:
            sink.writelines([BLOCK] * BLOCKS)
            os.fsync(sink.fileno())


ROWS = (
    Row("storage, an artifact of 512 MiB written and sealed", _written),
    Row("storage, an artifact of 512 MiB read and verified", _read),
)
