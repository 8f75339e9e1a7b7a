"""How much columns say of each other, as squares: real, synthetic, and what lies between the two."""

from collections.abc import Sequence
from typing import Literal

from markupsafe import Markup

from synthgen_ray.quality.assessment import Associations, Matrix
from synthgen_ray.quality.page.formatting import score
from synthgen_ray.quality.page.svg import chart, element, fitted, label
from synthgen_ray.quality.page.text import visible

MAX_COLUMNS = 16
FULL_DIFFERENCE = 0.4  # has the strongest colour
NOTABLE_DIFFERENCE = 0.1  # has a sign too, which holds where colours do not

_WIDTH, _LEFT, _TOP = 340.0, 118.0, 18.0
_MAX_CELL = 36.0


def most_telling(associations: Associations) -> list[int]:
    """The columns with the strongest associations or differences, in the table's order."""
    places = range(len(associations.columns))

    def strongest(i: int) -> float:
        found = (max(associations.real[i][j], abs(associations.difference[i][j])) for j in places if j != i)
        return max(found, default=0.0)

    return sorted(sorted(places, key=strongest, reverse=True)[:MAX_COLUMNS])


def heat_map(associations: Associations, shown: Literal["real", "synthetic", "difference"]) -> Markup:
    """The squares of the columns that tell most; a row has its column's name, both have its number."""
    places = most_telling(associations)
    matrix = {
        "real": associations.real,
        "synthetic": associations.synthetic,
        "difference": associations.difference,
    }[shown]
    names = [visible(associations.columns[place], 40) for place in places]
    cell = min((_WIDTH - _LEFT) / max(len(places), 1), _MAX_CELL)
    squares = []
    for row, i in enumerate(places):
        middle = _TOP + (row + 0.5) * cell + 4
        squares.append(label(_LEFT - 22, middle, fitted(names[row], _LEFT - 24), "end", "label strong"))
        squares.append(label(_LEFT - 5, middle, str(row + 1), "end", "tick"))
        squares.append(label(_LEFT + (row + 0.5) * cell, _TOP - 6, str(row + 1), "middle", "tick"))
        for column, j in enumerate(places):
            words = f"{names[row]} and {names[column]}: {score(matrix[i][j])}"
            value = None if i == j else matrix[i][j]
            square = _square(_LEFT + column * cell, _TOP + row * cell, cell, value, shown == "difference")
            squares.append(element("g", element("title", words), *square))
    return chart(
        f"Associations, {shown}", _strongest(names, places, matrix), _WIDTH, _TOP + len(places) * cell + 2, *squares
    )


def _square(x: float, y: float, cell: float, value: float | None, signed: bool) -> list[Markup]:
    size = {"x": x + 0.5, "y": y + 0.5, "width": cell - 1, "height": cell - 1}
    if value is None:
        return [element("rect", class_="itself", **size)]
    if not signed:
        return [element("rect", class_="cell", fill_opacity=min(abs(value), 1), **size)]
    strength = min(abs(value) / FULL_DIFFERENCE, 1)
    square = [element("rect", class_="over" if value > 0 else "under", fill_opacity=strength, **size)]
    if abs(value) >= NOTABLE_DIFFERENCE:
        square.append(label(x + cell / 2, y + cell / 2 + 4, "+" if value > 0 else "−", "middle", "sign"))
    return square


def _strongest(names: Sequence[str], places: Sequence[int], matrix: Matrix) -> str:
    pairs = [(row, column) for row in range(len(names)) for column in range(row)]
    pairs.sort(key=lambda pair: -abs(matrix[places[pair[0]]][places[pair[1]]]))
    told = (f"{names[i]} and {names[j]} {score(matrix[places[i]][places[j]])}" for i, j in pairs[:5])
    return f"The strongest: {'; '.join(told)}." if pairs else "Fewer than two columns."
