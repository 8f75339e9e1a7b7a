"""Tables from storage elsewhere."""

import gzip
from pathlib import Path
from uuid import uuid4

import pytest

from synthgen_ray.datasets.fetching import fetch
from synthgen_ray.domain.errors import InsufficientStorage

MIB = 1 << 20


def as_it_is() -> None:
    """Nothing is looked at between two blocks."""


def test_a_disk_that_is_full_is_not_taken_for_storage_that_is_away(tmp_path):
    (tmp_path / "table.csv").write_bytes(b"a,b\n1,2\n")

    with pytest.raises(InsufficientStorage):
        fetch(f"file://{tmp_path}/table.csv", Path("/dev/full"), MIB, as_it_is)


@pytest.mark.parametrize(
    "content",
    [gzip.compress(bytes(MIB)), gzip.compress(b"a,b\n")[:-4], b"a,b\n1,2\n"],
    ids=["sound", "cut off", "not compressed"],
)
def test_a_compressed_file_is_fetched_as_it_is_sound_or_not(content, tmp_path):
    (tmp_path / "table.csv.gz").write_bytes(content)

    fetch(f"file://{tmp_path}/table.csv.gz", tmp_path / "target", len(content), as_it_is)

    assert (tmp_path / "target").read_bytes() == content


def test_an_s3_that_is_not_amazons_is_named_by_the_environment(s3, tmp_path, monkeypatch):
    bucket, target = f"bucket-{uuid4()}", tmp_path / "target"
    s3.filesystem.create_dir(bucket)
    with s3.filesystem.open_output_stream(f"{bucket}/tables/table.csv") as sink:
        sink.write(b"a,b\n1,2\n")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{s3.gate.port}")

    name = fetch(f"s3://{bucket}/tables/table.csv", target, MIB, as_it_is)

    assert (name, target.read_bytes()) == ("table.csv", b"a,b\n1,2\n")
