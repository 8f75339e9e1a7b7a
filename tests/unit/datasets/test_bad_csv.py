"""Rows of the bad-input corpus, part A: the status, the code and the place of every refusal."""

import gzip
from pathlib import Path

import pytest

from synthgen_ray.domain.errors import SynthGenError

MIB = 2**20
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))

REFUSED = [
    # id, content, status, code, what the message must name
    ("A1", b"", 422, "empty_file", ""),
    ("A2", b"\n\n\n", 422, "empty_file", ""),
    ("A2-blanks", b"  \r\n\t\n", 422, "empty_file", ""),
    ("A3", b"\xef\xbb\xbf", 422, "empty_file", ""),
    ("A4", b"a,b,c\n", 422, "no_rows", ""),
    ("A4-no-line-end", b"a,b,c", 422, "no_rows", ""),
    ("A4-blank-lines", b"a,b,c\n\n\n", 422, "no_rows", ""),
    ("A7", b"a,a,b\n1,2,3\n", 422, "duplicate_column", "Columns 1 and 2"),
    ("A8", b"a,a,a.1\n1,2,3\n", 422, "duplicate_column", "Columns 1 and 2"),
    ("A9", "caf\u00e9,cafe\u0301\n1,2\n".encode(), 422, "duplicate_column", ""),
    ("A11", b" a ,a\n1,2\n", 422, "duplicate_column", ""),
    ("A12", b"a,,b\n1,2,3\n", 422, "empty_column_name", "Column 2"),
    ("A12-trailing", b"a,b,\n1,2,\n", 422, "empty_column_name", "Column 3"),
    ("A13", b'"x\ny",b\n1,2\n', 422, "invalid_column_name", ""),
    ("A13-tab", b'"x\ty",b\n1,2\n', 422, "invalid_column_name", "column 1"),
    ("A14", b"x" * 10_000 + b",b\n1,2\n", 422, "column_name_too_long", "column 1"),
    ("A14-huge", b"x" * 200_000 + b",b\n1,2\n", 422, "column_name_too_long", ""),
    ("A14-endless", b"x" * (5 * MIB), 422, "column_name_too_long", ""),
    ("A17", b"a\0b,c\n1,2\n", 422, "nul_byte", "header"),
    ("A19-bidi", "a\u202eb,c\n1,2\n".encode(), 422, "invalid_column_name", "column 1"),
    ("A19-zero-width", "c,a\u200bb\n1,2\n".encode(), 422, "invalid_column_name", "column 2"),
    ("A20", b"a,b\nx\0y,2\n", 422, "nul_byte", "Row 1 "),
    ("A20-later", b'a,b\n1,2\n3,"q\n"\n5,x\0\n', 422, "nul_byte", "Row 3 "),
    ("A21-le", "a,b\n1,2\n".encode("utf-16"), 422, "unsupported_encoding", "UTF-16"),
    ("A21-be", b"\xfe\xff" + "a,b\n1,2\n".encode("utf-16-be"), 422, "unsupported_encoding", "UTF-16"),
    ("A22", "a,b\n1,2\n".encode("utf-16-le"), 422, "nul_byte", ""),
    ("A23", b"name,n\nJos\xe9,1\n", 422, "invalid_encoding", "Byte 10 "),
    ("A23-header", b"pr\xe9nom,n\nx,1\n", 422, "invalid_encoding", "Byte 2 "),
    ("A23-end", b"a,n\nx,Jos\xc3", 422, "invalid_encoding", "Byte 9 "),
    ("A25", b"a,b\n\xed\xa0\x80,1\n", 422, "invalid_encoding", "Byte 4 "),
    ("A26", b"a,b\n\xc0\xaf,1\n", 422, "invalid_encoding", "Byte 4 "),
    ("A27", b"a,b\n" + b"12345,67890\n" * 90_000 + b"\xff,1\n", 422, "invalid_encoding", "Byte 1,080,004 "),
    ("A28", b'a,b\n1,"x\n2,y', 422, "malformed_csv", "Line 2 "),
    ("A28-later", b'a,b\n1,"x\ny"\n2,"z\n3,y\n', 422, "malformed_csv", "Line 4 "),
    ("A28-paired", b'a,b\n1,"x\n2,"y"\n', 422, "malformed_csv", "Line 3 "),
    ("A29", b'a,b\n1,"x\n' + b"1,2\n" * 6_300_000, 422, "malformed_csv", "Line 2 "),
    ("A28-after-quote", b'a,b\n1,"x"y\n', 422, "malformed_csv", "Line 2 "),
    ("A28-header", b'a,"b\n1,2\n', 422, "malformed_csv", "Line 1 "),
    ("A30", b"a,b\n1,2,3\n", 422, "ragged_row", "Row 1 (line 2) has 3 cells; the header has 2"),
    ("A31", b"a,b\n1,2\n1,2,3\n", 422, "ragged_row", "Row 2 (line 3)"),
    ("A31-blank-lines", b'\na,b\n"x\ny",2\n\n1,2,3\n', 422, "ragged_row", "Row 2 (line 6)"),
    ("A32", b"a,b\n1\n", 422, "ragged_row", "Row 1 (line 2) has 1 cells"),
    ("A34", b"a;b\n1,5;2,5\n", 422, "ragged_row", "Row 1 "),
    ("A34-mixed", b"a;b\n1;x\n2,5;y\n", 422, "ragged_row", "Row 2 "),
    ("A36", b"# c\na,b\n1,2\n", 422, "ragged_row", "Row 1 "),
    ("A37", b"<!DOCTYPE html>\n<html><body>502</body></html>\n", 422, "not_csv", ""),
    ("A37-blank", b"\n\n  <html><body>502</body></html>\n", 422, "not_csv", ""),
    ("A39", b'[{"a": 1}, {"a": 2}]', 422, "not_csv", ""),
    ("A39-lines", b'{"a": 1}\n{"a": 2}\n', 422, "not_csv", ""),
    ("A38", b"PK\x03\x04\x14\0\6\0\x08\0", 415, "unsupported_file_type", ""),
    ("A40", PNG, 415, "unsupported_file_type", ""),
    ("A42", b'a,b\n1,"' + b"x" * (20 * MIB) + b'"\n', 422, "cell_too_large", "Row 1 "),
    ("A42-unquoted", b"a,b\n1,2\n1," + b"x" * (20 * MIB) + b"\n", 422, "cell_too_large", "Row 2 "),
    ("A42-just", b"a,b\n1,2\n1," + b"x" * (MIB + 1) + b"\n", 422, "cell_too_large", "Row 2 "),
    ("A43", b",".join(b"c%d" % i for i in range(10_000)) + b"\n", 422, "too_many_columns", "10,000"),
    ("A44", b",".join(b"column%d" % i for i in range(200_000)), 422, "too_many_columns", "200,000"),
    (
        "A45",
        b",".join(b"c%d" % i for i in range(1_001)) + b"\n" + b",".join([b"1"] * 1_001),
        422,
        "too_many_columns",
        "",
    ),
    ("A47", b"n\n1\n9223372036854775808\n", 422, "integer_out_of_range", "'n'"),
    ("A48", b"n\n-9223372036854775809\n", 422, "integer_out_of_range", "'n'"),
    ("A49", b"n\n1\n" + b"7" * 400 + b"\n", 422, "integer_out_of_range", "'n'"),
    ("A50", b"x\n1.5\ninf\n-Infinity\ninf\n", 422, "non_finite", "'x' has 3 values"),
    ("A51", b"x\n1.5\n1e309\n", 422, "non_finite", "'x' has 1 values"),
    ("A56", b"a,b\n,\n,\n", 422, "no_usable_columns", ""),
    ("A73", b"a,b\n1,2,\n", 422, "ragged_row", "Row 1 "),
    ("gzip-cut", gzip.compress(b"a,b\n1,2\n" * 1000)[:-20], 400, "invalid_gzip", ""),
    ("gzip-png", gzip.compress(PNG), 415, "unsupported_file_type", ""),
    ("gzip-twice", gzip.compress(gzip.compress(b"a\n1\n")), 415, "unsupported_file_type", ""),
]


@pytest.mark.parametrize(("content", "status", "code", "named"), [pytest.param(*row[1:], id=row[0]) for row in REFUSED])
def test_refuses(upload, content: bytes, status: int, code: str, named: str):
    with pytest.raises(SynthGenError) as refusal:
        upload(content)

    assert (refusal.value.status, refusal.value.code) == (status, code)
    assert named in refusal.value.detail


ACCEPTED = [
    ("A10", b"A,a\n1,2\n", ["A", "a"]),
    ("A15", b"__proto__,constructor\n1,2\n", ["__proto__", "constructor"]),
    ("A16", b"=1+1,@x,-a\n1,2,3\n", ["=1+1", "@x", "-a"]),
    ("A18", b"'; DROP TABLE jobs;--,b\n1,2\n", ["'; DROP TABLE jobs;--", "b"]),
    ("A24", b"\xef\xbb\xbfa,b\n1,2\n", ["a", "b"]),
    ("A33", b"a;b\n1;2\n", ["a", "b"]),
    ("A33-tab", b"a\tb\nx,y\t2\n", ["a", "b"]),
    ("A33-pipe", b"a, x|b\n1|2\n", ["a, x", "b"]),
    ("A33-commas-in-names", b"a, x;b, y;c, z, w, v\n1;2;3\n", ["a, x", "b, y", "c, z, w, v"]),
    ("A33-long-cells", b"a, x, y|b, z|c\n" + b'p,q|"' + b"x\n" * 40_000 + b'"|2\n', ["a, x, y", "b, z", "c"]),
    ("A35", b"a,b\r1,2\r3,4\r", ["a", "b"]),
    ("A35-crlf", b"a,b\r\n1,2\r\n", ["a", "b"]),
    (
        "A70",
        "\U0001f468\u200d\U0001f469,b\n\U0001f468\u200d\U0001f469,2\n".encode(),
        ["\U0001f468\u200d\U0001f469", "b"],
    ),
    ("A73", b"a,b\n1,2\n\n\n", ["a", "b"]),
    ("bracketed", b"[id],[name]\n1,2\n", ["[id]", "[name]"]),
    ("stray-quote", b'size,n\n5" pipe,2\n3" pipe,1\n', ["size", "n"]),
    ("quoted", b'"a,b","c""d"\n"1","2"\n', ["a,b", 'c"d']),
    ("leading-blank-lines", b"\n\r\n a,b\n1,2\n", [" a", "b"]),
    ("A45", b",".join(b"c%d" % i for i in range(1_000)) + b"\n" + b",".join([b"1"] * 1_000), None),
]


@pytest.mark.parametrize(("content", "names"), [pytest.param(*row[1:], id=row[0]) for row in ACCEPTED])
def test_accepts(upload, content: bytes, names: list[str] | None):
    summary = upload(content)

    assert names is None or [column.name for column in summary.columns] == names


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
