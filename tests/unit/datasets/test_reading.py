"""Canonical files as they are read again."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgen_ray.datasets.reading import read_table

READ = """
import resource, sys
from pathlib import Path
from synthgen_ray.datasets.reading import read_table
pages = int(Path("/proc/self/statm").read_text().split()[0])
most = pages * resource.getpagesize() + 100 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (most, most))
try:
    read_table(Path(sys.argv[1]))
except MemoryError:
    print("no memory")
"""


def test_a_table_for_which_there_is_no_memory_is_not_called_damaged(tmp_path: Path):
    file = tmp_path / "table.parquet"
    pq.write_table(pa.table({"x": np.zeros(40_000_000)}), file)

    done = subprocess.run([sys.executable, "-c", READ, str(file)], capture_output=True, text=True)

    assert (done.stdout, done.stderr) == ("no memory\n", "")


@pytest.mark.parametrize("number", [errno.EIO, errno.ESTALE], ids=os.strerror)
def test_a_table_on_a_disk_that_fails_is_not_called_damaged(tmp_path: Path, monkeypatch, number):
    file = tmp_path / "table.parquet"
    pq.write_table(pa.table({"x": [1]}), file)

    def fails(_: pq.ParquetFile) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(pq.ParquetFile, "read", fails)

    with pytest.raises(OSError, match=os.strerror(number)):
        read_table(file)
