"""CSV files from a grammar, and what becomes of them when bytes, cells and lines are changed.

`python -m tests.fuzz.csv_mutations [--url http://127.0.0.1:8888 --key KEY]`. Case `n` of a seed is always the same.
"""

import gzip
from random import Random

from tests.fuzz.bytes_changed import changed
from tests.fuzz.uploads import main

NUMBERS = (
    *("", "NA", "NaN", "0", "-0", "1", "-20", "1e3", "1.5", ".5", "5.", "1e300", "1e-320", "1e309", "inf", "-Infinity"),
    *("9223372036854775807", "9223372036854775808", "-9223372036854775809", "9" * 400),
)
MOMENTS = (
    *("", "null", "2024-01-31", "2024-02-30", "0001-01-01", "9999-12-31", "0000-00-00", "31/12/2024", "12/31/2024"),
    *("1.2.2024", "2024-01-31T10:20:30Z", "2024-01-31 10:20:30.123456789 +0530", "2024-01-31T25:61:61"),
)
TEXTS = (
    *(" ", "?", "true", "False", "yes", "007", "1_000", "0x1F", "+7", "1,5", "red", "Zoë", "\u202e", "=1+1", "@x"),
    *("\U0001f468\u200d\U0001f469", "a" * 300, "'", "<html>", "{", "[1]", "\\", "#"),
    *('"q"', '"a""b"', '"a\nb"', '"a,b"', '"', '""', '"open', 'a"b'),
)
CELLS = (*NUMBERS, *MOMENTS, *TEXTS)
NAMES = (
    "a",
    "b",
    "A",
    "id",
    "name",
    "e-mail",
    "Zoë",
    "",
    " a ",
    '"x,y"',
    "a" * 256,
    "__proto__",
    "=1+1",
    "1",
    "\u200b",
)
PIECES = (b'"', b",", b";", b"\t", b"|", b"\n", b"\r", b"\r\n", b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"''")
COLUMN_MAKERS = (
    lambda draw: str(draw.randrange(-1000, 1000)),
    lambda draw: f"{draw.gauss(0, 100):.2f}",
    lambda draw: draw.choice(["red", "green", "blue", ""]),
    lambda draw: f"20{draw.randrange(10, 30)}-{draw.randrange(1, 13):02}-{draw.randrange(1, 29):02}",
    lambda draw: draw.choice(["true", "false"]),
    lambda draw: draw.choice(NUMBERS[: draw.choice([14, len(NUMBERS)])]),
    lambda draw: draw.choice(MOMENTS),
    lambda draw: draw.choice(CELLS),
)


def mutant(seed: int, number: int) -> tuple[bytes, str]:
    draw = Random(f"csv {seed} {number}")
    lines = _lines(draw)
    for _ in range(draw.choice([0, 0, 1, 3])):
        _change_lines(lines, draw)
    content = draw.choice(["\n", "\n", "\r\n", "\r"]).join(lines).encode() + draw.choice([b"\n", b"", b"\n\n\n"])
    if draw.random() < 0.6:
        content = changed(content, draw, PIECES)
    if draw.random() < 0.1:
        content = draw.choice([b"\xef\xbb\xbf" + content, content.decode(errors="replace").encode("utf-16")])
    if draw.random() < 0.15:
        content = gzip.compress(content, 1, mtime=0)
        content = changed(content, draw) if draw.random() < 0.5 else content
        return content, "t.csv.gz"
    return content, "t.csv" if draw.random() < 0.9 else draw.choice(["t.txt", "t", "t.parquet"])


def _lines(draw: Random) -> list[str]:
    delimiter = draw.choice(",,,;\t|")
    makers = [draw.choice(COLUMN_MAKERS) for _ in range(draw.randrange(1, 8))]
    names = [f"c{place}" if draw.random() < 0.9 else draw.choice(NAMES) for place in range(len(makers))]
    rows = [[make(draw) for make in makers] for _ in range(draw.choice([0, 1, 5, 60, 300]))]
    quoted = draw.random() < 0.3
    return [
        delimiter.join(f'"{cell}"' if quoted and '"' not in cell else cell for cell in row) for row in [names, *rows]
    ]


def _change_lines(lines: list[str], draw: Random) -> None:
    place = draw.randrange(len(lines))
    match draw.randrange(6):
        case 0:
            lines[place] += draw.choice([",", ";x", '"', ",,,,"])
        case 1:
            lines.insert(place, draw.choice(["", "# comment", lines[place], draw.choice(CELLS)]))
        case 2:
            lines[place] = lines[place].replace(draw.choice(",;\t|"), draw.choice(",;\t|\n"))
        case 3:
            lines[place] = lines[place][: len(lines[place]) // 2]
        case 4:
            lines[place] = draw.choice(CELLS) + lines[place]
        case _ if len(lines) > 1:
            del lines[place]


if __name__ == "__main__":
    main("csv_mutations", mutant, __doc__)
