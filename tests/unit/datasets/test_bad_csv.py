"""What is refused in a CSV file, and what is said of it: status, code and place."""

import gzip
from pathlib import Path

import pytest

from synthgen_ray.domain.errors import SynthGenError
from tests.csv_cases import ACCEPTED, MIB, REFUSED


@pytest.mark.parametrize(("content", "status", "code", "named"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_refuses(upload, content: bytes, status: int, code: str, named: str):
    with pytest.raises(SynthGenError) as refusal:
        upload(content)

    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert named in refusal.value.detail


@pytest.mark.parametrize(("content", "names"), [pytest.param(*row[1:], id=row[0]) for row in ACCEPTED])
def test_accepts(upload, content: bytes, names: list[str] | None):
    summary = upload(content)

    assert names is None or [column.name for column in summary.columns] == names


@pytest.mark.parametrize(
    ("header", "codes"),
    [
        (b"a^b", ["one_column"]),
        (b"a~b", ["one_column"]),
        (b"a:b", ["one_column"]),
        (b"1.5,2024-01-31,7", ["no_header"]),
        (b"2023,2024", []),
        (b"0,1,2", []),
        (b"a,2.5", []),
    ],
)
def test_warns_of_a_header_that_is_probably_none(upload, header: bytes, codes: list[str]):
    rows = b"\n".join(b",".join([b"x%d" % row] * (1 + header.count(b","))) for row in range(3))

    warnings = upload(header + b"\n" + rows).warnings

    assert [warning.split(":")[0] for warning in warnings] == codes


@pytest.mark.parametrize(
    ("table", "codes"),
    [
        (b"5.1,3.5,setosa\n4.9,3.0,setosa\n4.7,3.2,virginica\n", ["no_header"]),
        (b"39,State-gov,77516\n50,Private,83311\n38,Private,215646\n", ["no_header"]),
        (b"Jo,2024-01-31\nAl,2024-02-01\n", ["no_header"]),
        (b"country,2023,2024\nPeru,1,2\n", []),
        (b"shop,1,2,3\nA,7,8,9\n", []),
        (b"id,5.1\n1,x\n2,y\n", []),
    ],
)
def test_warns_where_the_names_of_numbers_look_like_their_values(upload, table: bytes, codes: list[str]):
    assert [warning.split(":")[0] for warning in upload(table).warnings] == codes


class TestLimits:
    def test_413_for_bytes_over_the_maximum(self, upload):
        assert upload(b"a\n12\n", max_bytes=5).num_rows == 1
        with pytest.raises(SynthGenError) as refusal:
            upload(b"a\n123\n", max_bytes=5)

        assert (refusal.value.status, refusal.value.code) == (413, "payload_too_large")

    def test_413_for_a_gzip_that_unpacks_beyond_its_ratio(self, upload, tmp_path: Path):
        with pytest.raises(SynthGenError) as refusal:
            upload(gzip.compress(b"a,b\n" + b"1,2\n" * 8_000_000, compresslevel=1), "x.csv.gz")

        assert (refusal.value.status, refusal.value.code) == (413, "payload_too_large")
        assert [path.name for path in tmp_path.iterdir()] == ["upload"]

    def test_413_for_a_gzip_over_the_decoded_maximum(self, upload):
        with pytest.raises(SynthGenError) as refusal:
            upload(gzip.compress(b"a,b\n" + b"1,2\n" * 1_000_000), "x.csv.gz", max_decoded_bytes=2 * MIB)

        assert (refusal.value.status, refusal.value.code) == (413, "payload_too_large")

    def test_413_for_rows_over_the_maximum(self, upload):
        assert upload(b"a\n1\n2\n", max_rows=2).num_rows == 2
        with pytest.raises(SynthGenError) as refusal:
            upload(b"a\n1\n2\n3\n", max_rows=2)

        assert (refusal.value.status, refusal.value.code) == (413, "too_many_rows")


def test_a_row_that_is_too_long_is_not_said_to_have_a_cell_that_is(upload):
    header, row = (b",".join(b"c%d" % place + cell for place in range(20)) for cell in (b"", b"x" * (MIB - 10)))

    with pytest.raises(SynthGenError) as refusal:
        upload(b"\n".join([header, row]))

    assert (refusal.value.status, refusal.value.code) == (422, "row_too_large")
    assert refusal.value.detail.startswith("Row 1 has over")


class TestPrivacy:
    SECRET = "S3cr3tCell"

    @pytest.mark.parametrize(
        "content",
        [
            f"a,b\n{SECRET},2,3\n",
            f"a,b\n1,2\n{SECRET}\n",
            f'a,b\n1,"{SECRET}\n2,y\n',
            f'a,b\n1,"x"{SECRET}\n',
            f"a,b\n{SECRET}\0,1\n",
            f"a,b\n{SECRET}{'x' * MIB},1\n",
        ],
    )
    def test_no_message_repeats_a_cell(self, upload, content: str):
        with pytest.raises(SynthGenError) as refusal:
            upload(content.encode())

        error = refusal.value
        assert self.SECRET not in repr(error) + str(error.errors)
        assert error.__cause__ is None
        assert error.__suppress_context__ or error.__context__ is None


class TestNames:
    def test_422_for_a_parquet_that_is_called_csv(self, upload):
        with pytest.raises(SynthGenError) as refusal:
            upload(b"PAR1" + b"\0" * 20 + b"PAR1", "table.csv")

        assert (refusal.value.status, refusal.value.code) == (422, "format_mismatch")
