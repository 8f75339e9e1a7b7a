"""What data frames hold in the place of JSON's values, without loading what they come from."""

from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """A scalar or an array of NumPy or pandas, a date, a decimal or a set as what JSON has for it, or as a list of more
    of these. Anything else as it is."""
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=repr)  # in the same order in every process
    if isinstance(value, Decimal):
        return int(value) if value.is_finite() and value == int(value) else float(value)
    kind = type(value).__name__
    if isinstance(value, type) or kind == "timedelta64":
        return value
    if kind in ("NaTType", "NAType"):  # what pandas has for null
        return None
    if kind == "datetime64":  # whose nanoseconds would else be a number
        return str(value)
    if kind == "ndarray" and value.ndim == 0:
        return value[()]
    if getattr(value, "ndim", 0):
        return list(value)
    for by in ("tolist", "isoformat"):
        if hasattr(value, by):
            return getattr(value, by)()
    return value
