"""What a column's name says of it."""

import re
from itertools import pairwise

ID_WORDS = frozenset({"id", "ids", "uuid", "guid", "key", "pk", "identifier"})
COUNT_WORDS = frozenset({"number", "no", "nr", "nbr", "num"})
NUMBER_WORDS = COUNT_WORDS | {"code", "ref", "reference"}
TIMES = frozenset({"date", "day", "hour", "month", "quarter", "time", "week", "year"})  # a `date_key` is a date
# Words that by themselves name the number of somebody or something ...
NUMBERED = frozenset(
    {"aadhaar", "account", "acct", "bsn", "card", "cellphone", "client", "cpf", "cust", "customer", "fax", "iban"}
    | {"imei", "member", "mobile", "mrn", "msisdn", "nhs", "nin", "nino", "passport", "patient", "pesel", "phone"}
    | {"ssn", "tel", "telefon", "telephone", "tin", "vin"}
)
# ... and words that do so beside one for a number: an `order` may be its sum.
NUMBERED_IF_SAID = frozenset(
    {"booking", "case", "claim", "contract", "donor", "emp", "employee", "guest", "insurance", "invoice", "licence"}
    | {"license", "loan", "membership", "order", "person", "policy", "reservation", "security", "student"}
    | {"subscriber", "tax", "ticket", "transaction", "user"}
)
# What may stand beside them. Any other word makes a measure of it, as in `account_balance` or `customer_age`.
WHICH = frozenset(
    {"bank", "credit", "debit", "dest", "destination", "driver", "from", "health", "main", "medical", "national"}
    | {"orig", "origin", "parent", "payment", "receiver", "record", "sender", "social", "source", "target", "to"}
)
_RUN_TOGETHER = re.compile(f"({'|'.join(NUMBERED | NUMBERED_IF_SAID)})({'|'.join(ID_WORDS | NUMBER_WORDS)})")


def words_of(name: str) -> tuple[str, ...]:
    """The words of a column's name in lower case: `customerID` and `Customer Id` give the same two."""
    return tuple(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+", name))


def names_an_id(name: str) -> bool:
    """Whether a name gives its column away as an id: `userid`, `account`, `card_no`, `Order Number`, `to_iban`.

    Not `num_customer` or `account_balance`, which count or measure.
    """
    words = [part for word in words_of(name) for part in _parted(word)]
    if ID_WORDS & set(words):
        return TIMES.isdisjoint(words)
    numbered = NUMBERED | NUMBERED_IF_SAID if NUMBER_WORDS & set(words) else NUMBERED
    named = set(words) - NUMBER_WORDS - WHICH
    return bool(named) and named <= numbered and words[0] not in NUMBER_WORDS


def names_a_measure(name: str) -> bool:
    """Whether whole numbers called so tell a time or count something, though they run up: `year`, `number_of_rooms`."""
    words = words_of(name)
    counts = any(word in COUNT_WORDS and after == "of" for word, after in pairwise(words))
    return counts or (not TIMES.isdisjoint(words) and ID_WORDS.isdisjoint(words))


def _parted(word: str) -> tuple[str, ...]:
    """`custno` is two words."""
    found = _RUN_TOGETHER.fullmatch(word)
    return found.groups() if found else (word,)
