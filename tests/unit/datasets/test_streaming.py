"""Chunks that are encoded apart and joined are one file of their format."""

import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthgen_ray.datasets.streaming import Joined, encoded
from synthgen_ray.domain.errors import JobError
from synthgen_ray.domain.params import SampleFormat

CHUNKS = [
    pa.table({"name": pa.array(["a,b", 'say "x"', None]).dictionary_encode(), "n": [1, 2, 3]}),
    pa.table({"name": pa.array(["line\nbreak"]).dictionary_encode(), "n": [4]}),
    pa.table({"name": pa.array(["é", "=1+1"]).dictionary_encode(), "n": pa.array([None, 6], pa.int64())}),
]
ROWS = [row for chunk in CHUNKS for row in chunk.to_pylist()]


def stream(chunks: list[pa.Table], form: SampleFormat, *, csv_safe: bool = False) -> list[bytes]:
    joined, last = Joined.of(form), len(chunks) - 1
    blocks = [
        joined.add(encoded(chunk, [], form, is_first=place == 0, is_last=place == last, csv_safe=csv_safe))
        for place, chunk in enumerate(chunks)
    ]
    return [*blocks, joined.end()]


def read(content: bytes, form: SampleFormat) -> list[dict]:
    match form:
        case SampleFormat.JSON:
            return json.loads(content)
        case SampleFormat.JSONL:
            return [json.loads(line) for line in content.decode().splitlines()]
        case SampleFormat.PARQUET:
            return pq.read_table(io.BytesIO(content)).to_pylist()
        case SampleFormat.ARROW:
            return pa.ipc.open_stream(content).read_all().to_pylist()
        case SampleFormat.CSV:
            raise AssertionError("a CSV has no types: it has a test of its own")


@pytest.mark.parametrize("form", [form for form in SampleFormat if form is not SampleFormat.CSV])
@pytest.mark.parametrize("num_chunks", [1, 3])
def test_rows_come_back(form, num_chunks):
    chunks = CHUNKS[:num_chunks]

    content = b"".join(stream(chunks, form))

    assert read(content, form) == ROWS[: sum(chunk.num_rows for chunk in chunks)]


@pytest.mark.parametrize("form", SampleFormat)
def test_a_chunk_of_more_bytes_than_there_is_room_for_is_refused(form, monkeypatch):
    rows = pa.table({"text": ["\x01" * 900]})  # six times as long in JSON
    monkeypatch.setattr("synthgen_ray.datasets.streaming.MAX_CHUNK_BYTES", 5000 if form in ("json", "jsonl") else 100)

    with pytest.raises(JobError) as failed:
        encoded(rows, [], form, is_first=True, is_last=True)

    assert failed.value.code == "rows_too_large"


def test_a_csv_has_one_header_and_no_formulas_where_it_should_be_safe():
    plain = b"".join(stream(CHUNKS, SampleFormat.CSV)).decode()
    safe = b"".join(stream(CHUNKS, SampleFormat.CSV, csv_safe=True)).decode()

    assert plain == 'name,n\n"a,b",1\n"say ""x""",2\n,3\n"line\nbreak",4\né,\n=1+1,6\n'
    assert safe == plain.replace("=1+1", "'=1+1")


@pytest.mark.parametrize("form", list(SampleFormat))
def test_each_chunk_is_sent_before_the_next_one_is_there(form):
    *blocks, end = stream(CHUNKS, form)

    assert all(blocks)
    assert bool(end) == (form in (SampleFormat.PARQUET, SampleFormat.ARROW))
