"""Whether a column of text holds personal data, from its values and its name."""

import pyarrow as pa
import pyarrow.compute as pc

from synthgen_ray.domain.column_names import words_of
from synthgen_ray.domain.columns import SHORT_LIST

# Share of the values that must look so.
MOST = 0.9
# Told by the values alone. All have one of these characters, which most texts lack.
SHAPED = r"[@\d]"
SHAPES = {
    "email": r"^[^@\s]+@[^@\s]+\.[A-Za-z]{2,}$",
    "ssn": r"^\d{3}-\d{2}-\d{4}$",
    "ip_address": r"^(?:\d{1,3}\.){3}\d{1,3}$",
    "iban": r"^[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7} ?[A-Z0-9]{1,4}$",
    "credit_card": r"^\d{4}([ -])\d{4}[ -]\d{4}[ -]\d{4}$",
    "phone": r"^(?:\+\d[\d\s().-]{6,18}|\(\d{2,5}\)[\d\s.-]{5,15}|\d{3}[-. ]\d{3}[-. ]\d{4})(?: ?x\d+)?$",
    "address": r"^\d+[A-Za-z]? (?:\S+ )+(?i:st|street|ave|avenue|rd|road|ln|lane|dr|drive|blvd|way|court|ct)\b.*$",
}
# Told by the name, and by values that may be such a thing.
NAMED_SHAPES = {
    "phone": (
        {"phone", "telephone", "tel", "mobile", "cell", "cellphone", "fax"}
        | {"telefon", "téléphone", "teléfono", "telefono", "telefone", "telefoon", "celular"},
        r"^[+(\d][\d\s().x/-]{5,24}$",
    ),
    "address": (
        {"address", "street", "addr", "adresse", "straße", "strasse", "dirección", "direccion", "indirizzo", "adres"},
        r"^(?:.*\p{L}.* .*|.* .*\p{L}.*)$",
    ),
}
# With a capital, where its letters have such, and `van der` or `de` before it; accents may be characters of their own.
_PARTICLES = r"(?:(?:d[aeiou]s?|del|della|la|le|v[ao]n|vom|der|den|ten|ter|te|zu|bin|bint|ibn|al|el|y|e) )*"
_WORD = rf"{_PARTICLES}(?:[dl]['’])?[\p{{Lu}}\p{{Lo}}][\p{{L}}\p{{M}}'’.-]*"
PERSONS_NAME, WHOLE_NAME = rf"^{_WORD}(?:,? {_WORD}){{0,4}}$", rf"^{_WORD}(?:,? {_WORD}){{1,3}}$"
COMPANY = (
    r"(?i)\b(?:inc|incorporated|corp|corporation|co|company|llc|llp|ltd|limited|plc|pty|gmbh|ag|kg|ohg|ug|sarl|sas|srl"
    r"|spa|ltda|bv|nv|oy|aps|group|holdings?|bank|partners|associates|industries|enterprises|solutions|systems|services"
    r"|technologies)\.?$"
)
MOST_COMPANIES = 0.5
USERNAME_WORDS, USERNAME = frozenset({"username", "usernames", "screenname"}), r"^[^\s@]{2,40}$"
PERSON_WORDS = {"first", "last", "full", "given", "family", "middle", "maiden", "sur", "nick"}
PERSON_ROLES = frozenset(
    {"applicant", "attendee", "author", "beneficiary", "borrower", "candidate", "cardholder", "client", "contact"}
    | {"customer", "doctor", "donor", "driver", "employee", "father", "guest", "manager", "member", "mother", "nurse"}
    | {"owner", "participant", "passenger", "patient", "person", "physician", "pupil", "recipient", "resident"}
    | {"respondent", "salesperson", "spouse", "student", "subscriber", "teacher", "tenant", "user", "visitor"}
)
ONE_WORD_NAMES = frozenset(
    {"surname", "lastname", "firstname", "fullname", "forename", "nickname", "vorname", "nachname", "prénom", "prenom"}
    | {"apellido", "apellidos", "cognome", "sobrenome", "voornaam", "achternaam", "имя", "фамилия", "姓名", "氏名"}
)
# A bare `name` names a person if it tells rows apart; else it may be a product or a place.
MIN_BARE_NAME_SHARE = 0.5


def find_pii(name: str, sample: pa.Array, distinct_share: float) -> str | None:
    """The kind of personal data that a sample of a column's values, not empty, is, or None."""
    counted = sample.value_counts()
    if _most_match(counted, SHAPED):
        for kind, pattern in SHAPES.items():
            if _most_match(counted, pattern):
                return kind
    words = set(words_of(name))
    for kind, (hints, pattern) in NAMED_SHAPES.items():
        if words & hints and _most_match(counted, pattern):
            return kind
    # What can be nothing else may be in small letters.
    any_case = "(?i)" if words & (PERSON_WORDS | ONE_WORD_NAMES) else ""
    if _names_persons(words, distinct_share) and _most_match(counted, any_case + PERSONS_NAME):
        return "name"
    if (words & USERNAME_WORDS or {"user", "name"} <= words) and _most_match(counted, USERNAME):
        return "username"
    # A short list may be of kinds of customers, and customers may be companies.
    if words and words <= PERSON_ROLES and len(counted) > SHORT_LIST and _most_match(counted, WHOLE_NAME):
        return None if _most_match(counted, COMPANY, MOST_COMPANIES) else "name"
    return None


def _names_persons(words: set[str], distinct_share: float) -> bool:
    if words & ONE_WORD_NAMES:
        return True
    if not words & {"name", "names"}:
        return False
    return bool(words & (PERSON_WORDS | PERSON_ROLES)) or (len(words) == 1 and distinct_share > MIN_BARE_NAME_SHARE)


def _most_match(counted: pa.StructArray, pattern: str, most: float = MOST) -> bool:
    """`counted` has distinct values, and how often each is there."""
    matches, counts = pc.match_substring_regex(counted.field("values"), pattern), counted.field("counts")
    return bool(pc.sum(pc.if_else(matches, counts, 0)).as_py() >= most * pc.sum(counts).as_py())
