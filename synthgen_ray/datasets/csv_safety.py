"""Cells that a spreadsheet would run as formulas, made plain text by an apostrophe in front.

Excel, LibreOffice and Google Sheets take a cell for a formula by what it starts with, and open a CSV without asking;
what to look for: OWASP, "CSV Injection". Numbers are no formulas, whatever their sign.
"""

import pyarrow as pa
import pyarrow.compute as pc

# Spreadsheets look past spaces and quotes, and take the wide forms of the signs for the signs.
STARTS_FORMULA = "^[ '\"]*[=+\\-@\t\r\n＝＋－＠]"
# Where semicolons or tabs stand between cells, as in a German Excel, one begins there too, in spite of quotes.
ENDS_CELL, FORMULA = "([;\t\r\n])", "([ '\"]*[=+\\-@＝＋－＠])"
NUMBER = r"^[+-]?[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?$"


def without_formulas(cells: pa.Array) -> pa.Array:
    """Text with an apostrophe before each cell, and each part of one, that would be a formula; nulls stay null."""
    cells = pc.replace_substring_regex(cells, ENDS_CELL + FORMULA, r"\1'\2")
    return pc.if_else(_are_formulas(cells), pc.binary_join_element_wise("'", cells, ""), cells)


def with_formulas(cells: pa.Array) -> pa.Array:
    """The way back of `without_formulas`."""
    bare = pc.replace_substring_regex(cells, "^'", "")
    is_safe = pc.and_(pc.fill_null(pc.starts_with(cells, "'"), False), _are_formulas(bare))
    return pc.replace_substring_regex(pc.if_else(is_safe, bare, cells), f"{ENDS_CELL}'{FORMULA}", r"\1\2")


def _are_formulas(cells: pa.Array) -> pa.Array:
    formula = pc.and_not(pc.match_substring_regex(cells, STARTS_FORMULA), pc.match_substring_regex(cells, NUMBER))
    return pc.fill_null(formula, False)
