"""What data frames hold in the place of JSON's values, without loading what they come from."""

from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """A scalar or an array of NumPy or pandas, a date, a decimal or a set as what JSON has for it, or as a list of more
    of these. Anything else as it is."""
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)  # in the same order in every process
    if isinstance(value, Decimal):
        return float(value)
    if type(value).__name__ == "datetime64":  # whose nanoseconds would else be a number
        return str(value)
    if getattr(value, "ndim", 0):
        return list(value)
    for by in ("tolist", "isoformat"):
        if hasattr(value, by):
            return getattr(value, by)()
    return value
