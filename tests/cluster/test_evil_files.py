"""A file that runs code of its own wherever Ray's types are known is refused by the server, and runs nothing there."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from synthgen_ray.client.errors import ApiError
from tests.parquet_cases import parquet, with_extension

READ_WITH_RAY = "import sys, ray.train, pyarrow.parquet as pq; pq.read_table(sys.argv[1]).to_pylist()"


class Evil:
    """What is pickled so makes a folder when it is read."""

    def __init__(self, marker: Path) -> None:
        self._marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self._marker),)


@pytest.fixture
def marker(tmp_path) -> Path:
    return tmp_path / "it ran"


@pytest.fixture
def evil_file(tmp_path, marker) -> Path:
    schema = pa.schema([with_extension("ray.data.arrow_pickled_object", pa.binary())])
    file = tmp_path / "evil.parquet"
    file.write_bytes(parquet(pa.table([pa.array([pickle.dumps(Evil(marker))], pa.binary())], schema=schema)))
    return file


def test_422_for_python_objects_and_none_of_them_runs(client, dataset, evil_file, marker):
    with pytest.raises(ApiError) as refusal:
        client.upload_dataset(dataset["project_id"], "evil", evil_file)

    assert (refusal.value.status, refusal.value.code) == (422, "unsupported_type")
    assert not marker.exists()


def test_the_same_file_does_run_where_ray_reads_it(evil_file, marker):
    subprocess.run([sys.executable, "-c", READ_WITH_RAY, str(evil_file)], capture_output=True, timeout=120)

    assert marker.exists()
