"""Order numbers: short enough to read out, unguessable, and with a check digit that catches a slip.

Twelve characters carry 60 random bits in Crockford's alphabet, which leaves out I, L, O and U; the thirteenth is their weighted
sum modulo 31 plus the alphabet's order, so that a wrong character and two swapped neighbours are both found.
"""

import secrets

from kameng.errors import InvalidInput

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 13
_VALUES = {character: value for value, character in enumerate(ALPHABET)}
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1", "-": "", " ": ""})
_PRIME = 31


def _check(body: str) -> str:
    return ALPHABET[sum((place + 2) * _VALUES[character] for place, character in enumerate(body)) % _PRIME]


def new_number() -> str:
    """A fresh number, such as ``7QK2M9XVD4T8C``."""
    bits = secrets.randbits(5 * (LENGTH - 1))
    body = "".join([ALPHABET[bits >> shift & 31] for shift in range(0, 5 * (LENGTH - 1), 5)])
    return body + _check(body)


def read_number(text: str) -> str:
    """A number as somebody typed it: any case, dashes and spaces, O for 0.

    Raises:
        InvalidInput: it is no order number.
    """
    number = text.upper().translate(_READ_AS)
    if len(number) != LENGTH or any(c not in ALPHABET for c in number) or _check(number[:-1]) != number[-1]:
        raise InvalidInput(
            "This is no order number.", cure="Check it: one character is wrong or missing.", path=("number",)
        )
    return number


def read_beginning(text: str) -> str | None:
    """The beginning of a number as somebody typed it, for a search; None where no number begins so."""
    beginning = text.upper().translate(_READ_AS).strip()
    return beginning if len(beginning) <= LENGTH and all(c in ALPHABET for c in beginning) else None
