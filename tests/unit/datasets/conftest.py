import gzip
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pytest

from synthgen_ray.datasets.limits import UploadLimits
from synthgen_ray.datasets.reading import TableSummary, convert, read_table
from synthgen_ray.datasets.writing import write_csv

Upload = Callable[..., TableSummary]


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    """Converts bytes as if they had been uploaded; leaves the table in `canonical.parquet`."""

    def convert_bytes(content: bytes, filename: str = "table.csv", **limits: int) -> TableSummary:
        source = tmp_path / "upload"
        source.write_bytes(content)
        return convert(source, filename, tmp_path / "canonical.parquet", UploadLimits(**limits))

    return convert_bytes


@pytest.fixture
def table_of(upload: Upload, tmp_path: Path) -> Callable[..., pa.Table]:
    """Converts bytes and reads the canonical table back."""

    def read_back(content: bytes, filename: str = "table.csv") -> pa.Table:
        upload(content, filename)
        return read_table(tmp_path / "canonical.parquet")

    return read_back


@pytest.fixture
def through_canonical(upload: Upload, tmp_path: Path) -> Callable[[bytes], bytes]:
    """CSV in, CSV out, by way of the canonical file."""

    def there_and_back(content: bytes) -> bytes:
        summary = upload(content)
        sink = BytesIO()
        write_csv(read_table(tmp_path / "canonical.parquet"), summary.columns, sink)
        return sink.getvalue()

    return there_and_back


@pytest.fixture
def shared_table(real_tables: Path) -> Callable[[str], bytes]:
    """The bytes of a real table, unpacked."""

    def read(name: str) -> bytes:
        path = real_tables / name
        return gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()

    return read
